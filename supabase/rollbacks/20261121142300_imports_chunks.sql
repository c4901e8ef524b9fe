-- Takes back the way of a chunk.
drop function jobs_private.import_step;
drop function jobs_private.next_chunk;
drop function jobs_private.import_chunk;
drop function jobs_private.write_in_blocks;
