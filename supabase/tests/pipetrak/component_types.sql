begin;
select plan(8);
select tests.create_people('Stranger');

-- acting as anybody who is signed in
select tests.act_as('Stranger');
select is((select count(*) from pipetrak.component_types where name in ('spool', 'valve', 'support', 'gasket', 'instrument')), 5::bigint,
  'everybody reads the types of component');
select is((select count(*) from pipetrak.milestone_templates where component_type = 'spool'), 6::bigint, 'and their milestones');
select throws_ok($$insert into pipetrak.component_types (name, title) values ('x', 'X')$$, '42501', null, 'nobody adds types');
select throws_ok($$update pipetrak.milestone_templates set weight = 1 where true$$, '42501', null, 'nobody changes weights');
select throws_ok($$delete from pipetrak.milestone_templates where true$$, '42501', null, 'nobody deletes milestones');

-- acting as anonymous
select tests.act_as_anonymous();
select throws_ok('select from pipetrak.component_types', '42501', null, 'nobody reads types without signing in');
select throws_ok('select from pipetrak.milestone_templates', '42501', null, 'nor their milestones');

-- acting as the service
select tests.act_as_service();
select throws_ok($$update pipetrak.milestone_templates set weight = 1 where true$$, '42501', null,
  'the secret key does not change weights either');

select * from finish();
rollback;
