-- KEYS: the log, the session.
local session = read(KEYS[2], { 'root', 'host', 'created', 'key', 'bound', 'proofs' })
if not session then return false end
if not session.root or #session.root ~= 64 or string.find(session.root, '%X') then
    unreadable(KEYS[2], 'names no root')
end
local name = key('f', session.root)
local row = read(name, { 'provider', 'subject', 'user', 'sid', 'email', 'created', 'seen', 'expires', 'version', 'record',
    'card', 'step_up', 'stale' })
if not row then return false end
local of_root = read(key('s', session.root), { 'bound', 'proofs' }) or {}
return { session.root, session.host, session.created, session.key, session.bound, session.proofs, row.provider,
    row.subject, row.user, row.sid, row.email, row.created, row.seen, row.expires, row.version, row.record, row.card,
    row.step_up, row.stale, of_root.bound, of_root.proofs }
