-- KEYS: the log, the family, the session. ARGV: what is in each field, then when the sign-in began, then its digests.
local root, host, family_key, nonce = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local row = { provider = ARGV[5], subject = ARGV[6], user = ARGV[7], sid = ARGV[8], email = ARGV[9] }
local created, seen, expires, version = ARGV[10], ARGV[11], ARGV[12], ARGV[13]
local record, card, began = ARGV[14], ARGV[15], tonumber(ARGV[16])
local before = read(KEYS[3], { 'nonce' })
if before or family(root) then
    -- The same insertion, tried again because its answer was lost.
    return before and before.nonce == nonce and 'done' or 'taken'
end
for i = 17, #ARGV do
    local ended = read(key('end', ARGV[i]), { 'since' })
    if ended and tonumber(ended.since) >= began then return 'ended' end
end
local seconds = math.max(0, tonumber(expires) - tonumber(created)) + SLACK
redis.call('HSET', KEYS[2], 'v', FORMAT, 'provider', row.provider, 'subject', row.subject, 'user', row.user,
    'sid', row.sid, 'email', row.email, 'created', created, 'seen', seen, 'expires', expires, 'version', version, 'record', record,
    'card', card)
redis.call('HSET', KEYS[3], 'v', FORMAT, 'root', root, 'host', host, 'created', created, 'key', family_key,
    'nonce', nonce)
redis.call('SADD', key('m', root), root)
for _, name in ipairs({ KEYS[2], KEYS[3], key('m', root) }) do redis.call('EXPIRE', name, seconds) end
enter(PREFIX .. 'all', root, seconds)
enter(key('provider', row.provider), root, seconds)
enter(key('host', host), root, seconds)
for _, index in ipairs(digests(row)) do enter(index, root, seconds) end
redis.call('ZADD', PREFIX .. 'ids', 0, root)
redis.call('ZADD', PREFIX .. 'expires', expires, root)
redis.call('ZADD', PREFIX .. 'seen', seen, root)
redis.call('ZADD', PREFIX .. 'created', created, root)
for _, index in ipairs({ 'ids', 'expires', 'seen', 'created' }) do outlive(PREFIX .. index, seconds) end
return 'done'
