-- KEYS: a key that nobody uses. Tries each command that scripts of the gateway run, and answers those that the user may
-- not.
local name = KEYS[1]
local tries = {
    { 'EXISTS', name }, { 'DEL', name }, { 'HSET', name, 'field', '1' }, { 'HGET', name, 'field' },
    { 'HMGET', name, 'field' }, { 'TTL', name }, { 'EXPIRE', name, 60 }, { 'DEL', name },
    { 'ZADD', name, 0, 'member' }, { 'ZRANGE', name, 0, -1 }, { 'ZRANDMEMBER', name, 1 },
    { 'ZRANGEBYSCORE', name, 0, 0 }, { 'ZCARD', name }, { 'PTTL', name },
    { 'ZREM', name, 'member' }, { 'ZPOPMIN', name }, { 'SADD', name, 'member' }, { 'SMEMBERS', name }, { 'DEL', name },
    { 'XADD', name, '*', 'field', '1' }, { 'DEL', name },
    { 'PEXPIRE', name, 60000 }, { 'TIME' },
}
local refused, told = {}, {}
for _, try in ipairs(tries) do
    local answer = redis.pcall(unpack(try))
    if type(answer) == 'table' and answer.err and string.find(answer.err, 'run this command') and not told[try[1]] then
        told[try[1]] = true
        refused[#refused + 1] = string.lower(try[1])
    end
end
return refused
