-- KEYS: the log, the family. ARGV: root, card, subject, user, sid. Nobody has a card in memory: nobody is told.
local root = ARGV[1]
local row = family(root)
if not row or (row.card and row.card ~= '') then return 0 end
local after = { subject = ARGV[3], user = ARGV[4], sid = ARGV[5] }
redis.call('HSET', KEYS[2], 'card', ARGV[2], 'subject', after.subject, 'user', after.user, 'sid', after.sid)
for _, index in ipairs(digests(row)) do redis.call('ZREM', index, root) end
local seconds = math.max(redis.call('TTL', KEYS[2]), SLACK)
for _, index in ipairs(digests(after)) do enter(index, root, seconds) end
return 1
