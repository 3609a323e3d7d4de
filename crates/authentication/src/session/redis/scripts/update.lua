-- KEYS: the log, the family. ARGV: root, the version that was read, record, card, subject, user, sid, email, how many
-- changes of claims it answers, origin, nonce.
local root, version, record = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local row = family(root)
if not row then return 'gone' end
local members = redis.call('SMEMBERS', key('m', root))
local now = tonumber(row.version)
if not now then unreadable(KEYS[2], 'has no version') end
if now ~= version then
    -- The same update, tried again because its answer was lost.
    if now == version + 1 and redis.call('HGET', KEYS[2], 'writer') == ARGV[11] then return members end
    return 'stale'
end
local after = { subject = ARGV[5], user = ARGV[6], sid = ARGV[7], email = ARGV[8] }
-- What was noted since stays noted.
local stale = row.stale == ARGV[9] and '0' or row.stale or '0'
redis.call('HSET', KEYS[2], 'record', record, 'card', ARGV[4], 'subject', after.subject, 'user', after.user,
    'sid', after.sid, 'email', after.email, 'stale', stale, 'version', version + 1, 'writer', ARGV[11])
for _, index in ipairs(digests(row)) do redis.call('ZREM', index, root) end
local seconds = math.max(redis.call('TTL', KEYS[2]), SLACK)
for _, index in ipairs(digests(after)) do enter(index, root, seconds) end
tell('changed', root, table.concat(members, ' '), ARGV[10])
return members
