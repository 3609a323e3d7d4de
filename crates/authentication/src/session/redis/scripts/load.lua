-- KEYS: the log, the session.
local session = read(KEYS[2], { 'root', 'host', 'created', 'key' })
if not session then return false end
if not session.root or #session.root ~= 64 or string.find(session.root, '%X') then
    unreadable(KEYS[2], 'names no root')
end
local name = key('f', session.root)
local row = read(name, { 'provider', 'subject', 'user', 'sid', 'created', 'seen', 'expires', 'version', 'record', 'card' })
if not row then return false end
return { session.root, session.host, session.created, session.key, row.provider, row.subject, row.user, row.sid,
    row.created, row.seen, row.expires, row.version, row.record, row.card }
