-- KEYS: the log, the family, the session. ARGV: identifier, root, host, created, the family's key, nonce, how many of one
-- host and how many altogether there may be beside the root, origin. Answers which gave way to it, or a word.
local id, root, host, created, family_key, nonce = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
if not family(root) then return 'gone' end
local before = read(KEYS[3], { 'nonce' })
if before then return before.nonce == nonce and {} or 'taken' end

local older_first, hosts = {}, {}
for _, other in ipairs(redis.call('SMEMBERS', key('m', root))) do
    local row = other ~= root and read(key('s', other), { 'host', 'created' })
    if row then
        older_first[#older_first + 1] = { id = other, host = row.host, created = tonumber(row.created) or 0 }
        hosts[row.host] = (hosts[row.host] or 0) + 1
    end
end
table.sort(older_first, function(a, b)
    if a.created ~= b.created then return a.created < b.created end
    return a.id < b.id
end)
local left, gone = #older_first, {}
for _, other in ipairs(older_first) do
    local crowded = other.host == host and hosts[host] >= tonumber(ARGV[7])
    if crowded or left >= tonumber(ARGV[8]) then
        hosts[other.host] = hosts[other.host] - 1
        left = left - 1
        gone[#gone + 1] = other
    end
end

local of_root = read(key('s', root), { 'host' })
local seconds = math.max(redis.call('TTL', KEYS[2]), SLACK)
redis.call('HSET', KEYS[3], 'v', FORMAT, 'root', root, 'host', host, 'created', created, 'key', family_key,
    'nonce', nonce)
redis.call('EXPIRE', KEYS[3], seconds)
redis.call('SADD', key('m', root), id)
redis.call('ZADD', PREFIX .. 'ids', 0, id)
outlive(PREFIX .. 'ids', seconds)
local names = {}
for i, other in ipairs(gone) do
    names[i] = other.id
    redis.call('DEL', key('s', other.id))
    redis.call('SREM', key('m', root), other.id)
    redis.call('ZREM', PREFIX .. 'ids', other.id)
    local holds = hosts[other.host] > 0 or of_root and of_root.host == other.host
    if not holds then redis.call('ZREM', key('host', other.host), root) end
end
enter(key('host', host), root, seconds)
if #names > 0 then tell('changed', root, table.concat(names, ' '), ARGV[9]) end
return names
