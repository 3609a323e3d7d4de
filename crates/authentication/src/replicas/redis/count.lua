-- Counts a request by each key in turn, up to the first that refuses it (generic cell rate algorithm).
-- KEYS: the counts. ARGV: for each of them the time between two requests of its rate, in microseconds, and the requests
-- that may come at once; behind them, in tests, the time. A row is the theoretical arrival time of the next request.
-- Answers, for each key that was asked, the requests that may still come at once, or less than 0: the microseconds until
-- another is let pass.
local now = tonumber(ARGV[2 * #KEYS + 1])
if not now then
  -- The server's own time: clocks of gateways differ, and each of them would give its tokens again.
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local function keep(key, arrival)
  -- At rest it is as good as new: then it is forgotten.
  local rest = math.max(1, math.ceil((arrival - now) / 1000))
  redis.call('SET', key, string.format('%.0f', arrival), 'PX', string.format('%.0f', rest))
end

local answers = {}
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local full = interval * burst
  local row = redis.call('GET', key)
  local arrival = now
  if row then
    arrival = string.match(row, '^%d+$') and tonumber(row)
    if not arrival then
      return redis.error_reply('UNREADABLE ' .. key .. ' holds what is no count')
    end
  end
  -- More debt than there can be: the clock went back, as it may where another server takes over. Nobody is given
  -- anything twice for it, and nobody waits for that clock.
  local cut = arrival > now + full
  if cut then
    arrival = now + full
  end
  local earliest = arrival - full + interval
  if now < earliest then
    if cut then
      keep(key, arrival)
    end
    answers[i] = now - earliest
    return answers
  end
  arrival = math.max(arrival, now) + interval
  keep(key, arrival)
  answers[i] = math.floor((now + full - arrival) / interval)
end
return answers
