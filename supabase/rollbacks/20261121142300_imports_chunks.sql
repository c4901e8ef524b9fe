-- Takes back the way of a chunk.
drop function jobs_private.ranges_are_independent;
drop function jobs_private.write_range;
drop function jobs_private.count_range;
drop function jobs_private.next_range;
drop function jobs_private.import_step;
drop function jobs_private.next_chunk;
drop function jobs_private.import_chunk;
drop function jobs_private.write_in_blocks;
