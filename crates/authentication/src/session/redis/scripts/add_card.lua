-- KEYS: the log, the family. ARGV: root, card, subject, user, sid, email. Nobody has a card in memory: nobody is told.
local root = ARGV[1]
local row = family(root)
local function missing(field) return not row[field] or row[field] == '' end
local after = { subject = ARGV[3], user = ARGV[4], sid = ARGV[5], email = ARGV[6] }
if not row or not (missing('card') or missing('email') and after.email ~= '') then return 0 end
local card = missing('card') and ARGV[2] or row.card
redis.call('HSET', KEYS[2], 'card', card, 'subject', after.subject, 'user', after.user, 'sid', after.sid,
    'email', after.email)
for _, index in ipairs(digests(row)) do redis.call('ZREM', index, root) end
local seconds = math.max(redis.call('TTL', KEYS[2]), SLACK)
for _, index in ipairs(digests(after)) do enter(index, root, seconds) end
return 1
