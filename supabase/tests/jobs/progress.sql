begin;
select plan(15);
select tests.create_engine_scene();

create temp table followed on commit drop as select tests.enqueue('Mia', 'import_check') as id, null::bigint as token;
grant all on followed to public;
create function pg_temp.sent(p_topic text default 'job:') returns text language sql as $$
  select string_agg((m.payload ->> 'version') || ' ' || (m.payload ->> 'state'), ', ' order by (m.payload ->> 'version')::int)
  from realtime.messages m
  where m.topic like p_topic || '%' and (m.payload ->> 'id')::uuid = (select id from followed) and m.event = 'progress' and m.private;
$$;
select is(pg_temp.sent(), '1 queued', 'a new job is sent');
update followed set token = tests.claim();
select jobs_private.checkpoint(id, token, '{}', '{"done": 1}') from followed;
select jobs_private.checkpoint(id, token, '{}', '{"done": 2}') from followed;
select is(pg_temp.sent(), '1 queued, 2 running, 3 running', 'progress is sent, but not more than twice a second');
select jobs_private.finish_job(id, token, '{"rows": 1, "preview": [{"secret": 1}]}') from followed;
select is(pg_temp.sent(), '1 queued, 2 running, 3 running, 4 succeeded', 'every change of state is sent');
select is(pg_temp.sent('org:'), pg_temp.sent(), 'the organization''s channel gets the same');
select is((select count(*)::int from realtime.messages m where m.payload ->> 'id' = (select id::text from followed) and m.payload ? 'params'), 0, 'parameters are not sent');
select is((select (m.payload -> 'result') - 'expires_at' from realtime.messages m
  where m.payload ->> 'id' = (select id::text from followed) and m.payload ->> 'version' = '4' limit 1),
  '{"rows": 1}', 'nor is the preview');
select is((select array_agg(distinct m.topic order by m.topic) from realtime.messages m
  where m.payload ->> 'id' = (select id::text from followed)),
  array['job:' || (select id from followed), 'org:' || md5('org')::uuid || ':jobs'], 'on the channels of the job and its organization');

-- who may follow: Realtime tries with a row of its own and the joiner's role
create function pg_temp.joins(p_topic text) returns text language plpgsql as $$
declare
  v_name text;
  v_probe uuid := gen_random_uuid();
  v_joined text := '';
begin
  insert into realtime.messages (id, topic, extension, inserted_at, updated_at) values (v_probe, p_topic, 'broadcast', now(), now());
  perform set_config('realtime.topic', p_topic, true);
  foreach v_name in array array['Mia', 'Max', 'Adam', 'Olga', 'Nora', 'Stranger'] loop
    perform tests.act_as(v_name);
    if exists (select from realtime.messages m where m.id = v_probe) then
      v_joined := v_joined || ' ' || v_name;
    end if;
    perform tests.act_as_postgres();
  end loop;
  return v_joined;
end
$$;
select is((select pg_temp.joins('job:' || id) from followed), ' Mia Adam Olga', 'a job is followed by its owner and the admins');
select is(pg_temp.joins('job:' || md5('none')::uuid), '', 'a job that is not there by nobody');
select is(pg_temp.joins('job:not-a-uuid'), '', 'a name that is none by nobody, and it is no error');
select is(pg_temp.joins('org:' || md5('org')::uuid || ':jobs'), ' Adam Olga', 'the jobs of an organization by its admins');
select is(pg_temp.joins('org:' || md5('other')::uuid || ':jobs'), ' Nora', 'of each by its own');
select is(pg_temp.joins('org::jobs'), '', 'an organization without a name by nobody');

-- forging
select tests.act_as('Mia');
select throws_ok(format('insert into realtime.messages (topic, extension, event, payload, private) values (%L, ''broadcast'', ''progress'', ''{}'', true)',
  'job:' || id), '42501', null, 'the owner forges no progress') from followed;
select tests.act_as('Adam');
select throws_ok(format('insert into realtime.messages (topic, extension, event, payload, private) values (%L, ''broadcast'', ''progress'', ''{}'', true)',
  'org:' || md5('org')::uuid || ':jobs'), '42501', null, 'nor does an admin');

select * from finish();
rollback;
