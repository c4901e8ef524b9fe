begin;
select plan(4);
-- Rows as open_export() would have them: thousands of short ones, then some ten thousand times as long.
declare longshore_export no scroll cursor for
  select convert_to(repeat('x', case when n > 5000 then 100000 else 10 end), 'UTF8') from generate_series(1, 5500) n;
create temp table blocks (row_count integer, content text) on commit drop;
create function pg_temp.read_all() returns void language plpgsql as $$
declare
  v_block record;
begin
  loop
    select * into v_block from jobs_private.fetch_export('csv', 20000);
    insert into blocks values (v_block.row_count, v_block.content);
    exit when v_block.row_count = 0;
  end loop;
end;
$$;
select pg_temp.read_all();
select is((select sum(row_count) from blocks), 5500::bigint, 'the blocks have every row');
select is((select sum(octet_length(content)) from blocks), 5000 * 12 + 500 * 100002::bigint, 'and every byte');
select cmp_ok((select max(octet_length(content)) from blocks), '<', 30000000, 'no block is more than an isolate can hold, whatever came before');
select is((select count(*) from blocks where content is null), 1::bigint, 'and the last one is empty');
select * from finish();
rollback;
