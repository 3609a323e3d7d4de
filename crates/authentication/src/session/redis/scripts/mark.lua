-- KEYS: the log. ARGV: what is asked (a new sign-in, or new claims), since when, what streams are told, origin, nonce,
-- then roots. Answers all sessions of those that are there.
local asked, since, why, origin, nonce = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
-- So many nonces of a family are kept: the same mark is written again, after a failover that may have lost it.
local NONCES = 16
local marked = {}
for i = 6, #ARGV do
    local root = ARGV[i]
    local row = family(root)
    if row then
        local nonces = redis.call('HGET', key('f', root), 'marks') or ''
        local before = tonumber(row.step_up or 0) or 0
        local news = not string.find(nonces, nonce, 1, true) and (asked ~= 'step-up' or since > before)
        if news and asked == 'step-up' then
            redis.call('HSET', key('f', root), 'step_up', since)
        elseif news then
            redis.call('HSET', key('f', root), 'stale', (tonumber(row.stale or 0) or 0) + 1)
        end
        if news then
            redis.call('HSET', key('f', root), 'marks', string.sub(nonces .. nonce .. ' ', -NONCES * (#nonce + 1)))
            -- What is open by it is cut everywhere, and it is read anew: an end in memory, and none in the store.
            tell('ended', root, why, origin)
        end
        for _, id in ipairs(redis.call('SMEMBERS', key('m', root))) do marked[#marked + 1] = id end
    end
end
return marked
