drop trigger job_state_note_slice on jobs_private.job_state;
drop function jobs_private.note_slice();
drop table jobs_private.slices;
alter table jobs_private.job_state drop column slice_started_at;
