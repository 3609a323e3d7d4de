-- KEYS: the log, the session. ARGV: site, how many hosts of it at most, record, origin, nonce. Answers the sessions of the
-- family, or a word.
local session = read(KEYS[2], { 'root', 'host', 'bound', 'binder' })
if not session or not family(session.root) then return 'gone' end
local members = redis.call('SMEMBERS', key('m', session.root))
-- The same binding, tried again because its answer was lost.
if session.binder == ARGV[5] then return members end
local hosts, others = {}, 0
for _, id in ipairs(members) do
    local other = read(key('s', id), { 'host', 'bound', 'site' })
    if other and other.bound and other.site == ARGV[1] and other.host ~= session.host and not hosts[other.host] then
        hosts[other.host] = true
        others = others + 1
    end
end
if others >= tonumber(ARGV[2]) then return 'many' end
if session.bound then return 'already' end
redis.call('HSET', KEYS[2], 'bound', ARGV[3], 'proofs', '0', 'site', ARGV[1], 'binder', ARGV[5])
tell('changed', session.root, table.concat(members, ' '), ARGV[4])
return members
