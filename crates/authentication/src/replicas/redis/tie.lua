-- Tells what a gateway has signed last, and answers what all have. KEYS: the set of them, by when each was told. ARGV: what it
-- tells, or nothing; what it has told before, or nothing; seconds after which a word is forgotten; how many words, and how
-- many bytes of each, there may be.
local time = tonumber(redis.call('TIME')[1])
-- What is too old goes, and what says that it is of a time to come: it would stay for ever in the place of others.
for _, odd in ipairs({ { '-inf', time - tonumber(ARGV[3]) }, { time + 1, '+inf' } }) do
  for _, word in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], odd[1], odd[2])) do
    redis.call('ZREM', KEYS[1], word)
  end
end
if ARGV[2] ~= '' then
  redis.call('ZREM', KEYS[1], ARGV[2])
end
if ARGV[1] ~= '' then
  redis.call('ZADD', KEYS[1], time, ARGV[1])
end
while redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[4]) do
  redis.call('ZPOPMIN', KEYS[1])
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
local words = {}
for _, word in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if #word <= tonumber(ARGV[5]) then
    words[#words + 1] = word
  end
end
return words
