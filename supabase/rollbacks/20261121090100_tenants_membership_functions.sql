-- Takes back the functions that change memberships; the tables stay as they are.
drop function public.remove_member(uuid, uuid);
drop function public.add_member(uuid, text, text);
drop function longshore_private.lock_organization(uuid);
drop function public.create_organization(text);
