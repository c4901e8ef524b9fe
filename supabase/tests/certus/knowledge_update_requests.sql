begin;
select plan(35);
select tests.create_restaurants();

create function pg_temp.ask(p_location text) returns text language sql as $$
  select format($q$insert into certus.knowledge_update_requests (account_id, location_id, subject, body)
    values (md5('bistro')::uuid, md5(%L)::uuid, 'Dogs', 'Dogs are welcome on the terrace')$q$, p_location);
$$;
grant execute on function pg_temp.ask to authenticated;

-- acting as an operator
select tests.act_as('Otto');
select lives_ok(pg_temp.ask('soho'), 'an operator asks for the own location');
select throws_ok(pg_temp.ask('mayfair'), '42501', null, 'not for another');
select throws_ok(pg_temp.ask(null), '42501', null, 'nor for the whole account');
select is((select array[status, requested_by::text] from certus.knowledge_update_requests), array['pending', tests.person('Otto')::text],
  'what is asked is pending, in the own name');
select throws_ok($$insert into certus.knowledge_update_requests (account_id, location_id, subject, body, status)
  values (md5('bistro')::uuid, md5('soho')::uuid, 'X', 'X', 'completed')$$, '42501', null, 'nobody says how it ends');
select throws_ok($$update certus.knowledge_update_requests set status = 'completed'$$, '42501', null, 'nor later');
select throws_ok('select certus.claim_knowledge_updates()', '42501', null, 'nobody takes requests like an automation');
select throws_ok($$select certus.finish_knowledge_update(md5('x')::uuid, 'completed')$$, '42501', null, 'or ends them');

-- acting as those who have the account
select tests.act_as('Ada');
select lives_ok(pg_temp.ask(null), 'an admin asks for the whole account');
select is((select count(*) from certus.knowledge_update_requests), 2::bigint, 'and sees all');
select tests.act_as('Olga');
select lives_ok(pg_temp.ask('mayfair'), 'so does the organization''s owner');
select tests.act_as('Adam');
select lives_ok(pg_temp.ask('mayfair'), 'and its admin');
select is(tests.touched(format('delete from certus.knowledge_update_requests where requested_by = %L', auth.uid())), 1::bigint, 'who withdraws it');

-- acting as an operator of another location and as a viewer
select tests.act_as('Oona');
select is((select count(*) from certus.knowledge_update_requests), 2::bigint, 'another operator sees that location''s and the account''s');
select is(tests.touched('delete from certus.knowledge_update_requests where true'), 0::bigint, 'withdraws no other''s');
select tests.act_as('Vic');
select is((select count(*) from certus.knowledge_update_requests), 3::bigint, 'a viewer sees all');
select throws_ok(pg_temp.ask('soho'), '42501', null, 'asks for none');
select is(tests.touched('delete from certus.knowledge_update_requests where true'), 0::bigint, 'withdraws none');

-- acting as a stranger and anonymous
select tests.act_as('Stranger');
select is((select count(*) from certus.knowledge_update_requests), 0::bigint, 'a stranger sees none');
select throws_ok(pg_temp.ask('soho'), '42501', null, 'asks for none here');
select is(tests.touched('delete from certus.knowledge_update_requests where true'), 0::bigint, 'withdraws none');
select tests.act_as_anonymous();
select throws_ok('select from certus.knowledge_update_requests', '42501', null, 'nobody reads requests without signing in');

-- acting as the automation
select tests.act_as_postgres();
update certus.knowledge_update_requests set created_at = '2026-03-01'::timestamptz + case when location_id is null then interval '0' when location_id = md5('soho')::uuid then interval '1 h' else interval '2 h' end;
select set_config('longshore.now', '2026-03-02 12:00+00', true);
select tests.act_as_service();
select is((select array_agg(location_id) from certus.claim_knowledge_updates(1)), array[null]::uuid[], 'the automation takes the oldest');
select is((select count(*) from certus.claim_knowledge_updates()), 2::bigint, 'then the others');
select is((select count(*) from certus.claim_knowledge_updates()), 0::bigint, 'and none twice');
select is((select array_agg(distinct status) from certus.knowledge_update_requests), array['in_progress'], 'they are in progress');
select results_eq(
  $$select status, resolution, finished_at from certus.finish_knowledge_update((select id from certus.knowledge_update_requests where location_id is null), 'completed', 'Said')$$,
  $$values ('completed', 'Said', '2026-03-02 12:00+00'::timestamptz)$$, 'one is completed');
select is(tests.error_code($$select certus.finish_knowledge_update((select id from certus.knowledge_update_requests where location_id is null), 'rejected')$$),
  'not_in_progress', 'and ends once');
select is(tests.error_code($$select certus.finish_knowledge_update(md5('x')::uuid, 'completed')$$), 'not_in_progress', 'one that is not there does not end');
select is(tests.error_code($$select certus.finish_knowledge_update(md5('x')::uuid, 'pending')$$), 'invalid_request', 'nor does any go back');
select set_config('longshore.now', '2026-03-02 12:15:01+00', true);
select is((select array_agg(distinct attempts) from certus.claim_knowledge_updates()), array[2], 'what an automation forgot is taken again');
select is((select status from certus.finish_knowledge_update((select id from certus.knowledge_update_requests where location_id = md5('soho')::uuid), 'rejected')),
  'rejected', 'one is rejected');

-- acting as who asked
select tests.act_as('Otto');
select is((select array_agg(status order by status) from certus.knowledge_update_requests), array['completed', 'rejected'], 'people see what became of it');
select is(tests.touched('delete from certus.knowledge_update_requests where true'), 0::bigint, 'what was taken is not withdrawn');
select tests.act_as('Ada');
select is(tests.touched('delete from certus.knowledge_update_requests where true'), 0::bigint, 'by an admin neither');
select * from finish();
rollback;
