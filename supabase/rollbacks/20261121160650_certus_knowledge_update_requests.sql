drop function certus.finish_knowledge_update(uuid, text, text);
drop function certus.claim_knowledge_updates(integer);
drop table certus.knowledge_update_requests;
