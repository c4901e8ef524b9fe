-- Who sees as of when numbers are, who sees runs, and who may ask for one.
begin;
select plan(34);
select tests.create_people('Olga', 'Adam', 'Mia', 'Vic', 'Nora', 'Stranger');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
insert into public.memberships (org_id, user_id, role) values
  (md5('org')::uuid, tests.person('Olga'), 'owner'),
  (md5('org')::uuid, tests.person('Adam'), 'admin'),
  (md5('org')::uuid, tests.person('Mia'), 'member'),
  (md5('org')::uuid, tests.person('Vic'), 'viewer'),
  (md5('other')::uuid, tests.person('Nora'), 'owner');
insert into certus.accounts (org_id, name) values (md5('org')::uuid, 'Bistro');
delete from jobs.refreshes;
insert into jobs.refreshes (view, state, finished_at, duration_ms)
values ('certus.mv_metrics_daily', 'succeeded', jobs.now(), 1);

create function pg_temp.asks() returns text language sql as $$
  select coalesce(tests.error_code($a$select jobs.authorize_refresh('certus.mv_metrics_daily')$a$), 'may');
$$;
create function pg_temp.sees() returns text language sql as $$
  select (select count(*) from jobs.refreshable_views) || ' ' || (select count(*) from jobs.refreshes);
$$;

-- acting as the owner of an organization with an account
select tests.act_as('Olga');
select is(pg_temp.asks(), 'may', 'an owner may ask');
select is(jobs.authorize_refresh('certus.mv_metrics_daily'), md5('org')::uuid, 'for the organization');
select is(pg_temp.sees(), '1 1', 'and sees the view and its runs');
select is(tests.error_code($$select jobs.authorize_refresh('certus.mv_metrics_weekly')$$), 'unknown_view', 'of no other view');
select is(tests.error_code('select jobs.authorize_refresh(null)'), 'unknown_view', 'nor of none');
-- acting as an admin of it
select tests.act_as('Adam');
select is(pg_temp.asks(), 'may', 'so may an admin');
select is(pg_temp.sees(), '1 1', 'who sees the same');
-- acting as a member
select tests.act_as('Mia');
select is(pg_temp.asks(), 'not_allowed', 'a member may not');
select is(pg_temp.sees(), '1 0', 'but sees as of when the numbers are');
-- acting as a member with a role in the account
select tests.act_as_postgres();
insert into certus.account_members (account_id, user_id, role) select a.id, tests.person('Mia'), 'admin' from certus.accounts a;
select tests.act_as('Mia');
select is(pg_temp.asks(), 'not_allowed', 'not even one who runs the account: the view is everybody''s');
-- acting as a viewer
select tests.act_as('Vic');
select is(pg_temp.asks(), 'not_allowed', 'nor a viewer');
select is(pg_temp.sees(), '1 0', 'who sees what a member sees');
-- acting as the owner of an organization without an account
select tests.act_as('Nora');
select is(pg_temp.asks(), 'not_allowed', 'nor an owner whom the view does not concern');
select is(pg_temp.sees(), '1 0', 'who sees no runs');
-- acting as somebody who belongs nowhere
select tests.act_as('Stranger');
select is(pg_temp.asks(), 'not_allowed', 'nor a stranger');
select is(pg_temp.sees(), '1 0', 'who sees no runs');
-- acting without signing in
select tests.act_as_anonymous();
select throws_ok('select count(*) from jobs.refreshable_views', '42501', null, 'nobody sees views without signing in');
select throws_ok('select count(*) from jobs.refreshes', '42501', null, 'nor runs');
select throws_ok($$select jobs.authorize_refresh('certus.mv_metrics_daily')$$, '42501', null, 'nor asks');
select throws_ok($$select jobs.request_refresh('certus.mv_metrics_daily')$$, '42501', null, 'nor asks for the system');
-- acting as the service
select tests.act_as_service();
select is(pg_temp.sees(), '1 1', 'the service sees everything');
select is(jobs.request_refresh('certus.mv_metrics_daily') #> '{job,owner_id}', 'null', 'and asks for the system');
select is(tests.error_code($$select jobs.request_refresh('certus.mv_metrics_weekly')$$), 'unknown_view', 'for views that there are');

-- writing, as those who read
create function pg_temp.refused(p_statement text) returns text language plpgsql as $$
declare
  v_name text;
  v_refused text := '';
begin
  foreach v_name in array array['Olga', 'Stranger', 'service', 'nobody'] loop
    case v_name
      when 'service' then perform tests.act_as_service();
      when 'nobody' then perform tests.act_as_anonymous();
      else perform tests.act_as(v_name);
    end case;
    begin
      execute p_statement;
    exception when insufficient_privilege then
      v_refused := v_refused || ' ' || v_name;
    end;
    perform tests.act_as_postgres();
  end loop;
  return v_refused;
end
$$;
select tests.act_as_postgres();
select is(pg_temp.refused('update jobs.refreshable_views set refreshed_at = now(), duration_ms = 1'),
  ' Olga Stranger service nobody', 'nobody says as of when numbers are');
select is(pg_temp.refused('insert into jobs.refreshable_views (view) values (''pg_catalog.pg_class'')'),
  ' Olga Stranger service nobody', 'nobody registers a view');
select is(pg_temp.refused('delete from jobs.refreshable_views'), ' Olga Stranger service nobody', 'or takes one away');
select is(pg_temp.refused('update jobs.refreshes set duration_ms = 0'), ' Olga Stranger service nobody', 'nobody changes a run');
select is(pg_temp.refused('delete from jobs.refreshes'), ' Olga Stranger service nobody', 'or deletes one');
select is(pg_temp.refused('select * from jobs_private.view_sources'), ' Olga Stranger service nobody', 'nobody reads the registry');
select is(pg_temp.refused('refresh materialized view certus.mv_metrics_daily'), ' Olga Stranger service nobody',
  'nobody refreshes past it');
select is(pg_temp.refused('select jobs_private.refresh_on_schedule(''certus.mv_metrics_daily'')'), ' Olga Stranger service nobody',
  'nobody is the clock');

-- the worker's login
select is(
  array[has_table_privilege('longshore_worker', 'certus.mv_metrics_daily', 'select'),
    has_table_privilege('longshore_worker', 'certus.mv_metrics_daily', 'maintain')],
  array[false, false], 'the worker neither reads the view nor refreshes it of its own right');
select set_eq(
  $$ select p.proname::text from pg_proc p
     where p.pronamespace = 'jobs_private'::regnamespace and p.proname ~ 'refresh|views_of_caller|require_view|end_waiting'
       and has_function_privilege('longshore_worker', p.oid, 'execute') $$,
  array['begin_refresh', 'refresh_view', 'fail_refresh'], 'it runs what has been asked for');
select set_eq(
  $$ select p.proname::text from pg_proc p
     where p.pronamespace = 'jobs_private'::regnamespace and p.proname ~ 'refresh|views_of_caller|require_view|end_waiting'
       and has_function_privilege('authenticated', p.oid, 'execute') $$,
  array['views_of_caller'], 'people reach what the policy asks');

select * from finish();
rollback;
