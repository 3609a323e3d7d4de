-- KEYS: the log. ARGV: roots. Answers those that are not there.
local gone = {}
for _, root in ipairs(ARGV) do
    if redis.call('EXISTS', key('f', root)) == 0 then gone[#gone + 1] = root end
end
return gone
