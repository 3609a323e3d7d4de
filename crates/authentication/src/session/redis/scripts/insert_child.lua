-- KEYS: the log, the family, the session. ARGV: identifier, root, host, created, the family's key, nonce.
local id, root, host, created, family_key, nonce = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
if not family(root) then return 'gone' end
local before = read(KEYS[3], { 'nonce' })
if before then return before.nonce == nonce and 'done' or 'taken' end
local seconds = math.max(redis.call('TTL', KEYS[2]), SLACK)
redis.call('HSET', KEYS[3], 'v', FORMAT, 'root', root, 'host', host, 'created', created, 'key', family_key,
    'nonce', nonce)
redis.call('EXPIRE', KEYS[3], seconds)
redis.call('SADD', key('m', root), id)
redis.call('ZADD', PREFIX .. 'ids', 0, id)
outlive(PREFIX .. 'ids', seconds)
enter(key('host', host), root, seconds)
return 'done'
