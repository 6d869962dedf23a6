-- KEYS: one sorted set for each row, member = server, score = load.
-- ARGV: what a reservation adds to the load (0 looks only); a number that breaks ties; then for each
-- row how many servers may be chosen (0: all of them), and those.
-- Returns the chosen server of each row, or nothing if a row has none.
local add, turn = tonumber(ARGV[1]), tonumber(ARGV[2])
local rows, loads, at = {}, {}, 3
for row, key in ipairs(KEYS) do
  local allowed, count = nil, tonumber(ARGV[at])
  if count > 0 then
    allowed = {}
    for i = at + 1, at + count do allowed[ARGV[i]] = true end
  end
  at = at + 1 + count
  local servers = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  local by_load = {}
  for i = 1, #servers, 2 do
    if not allowed or allowed[servers[i]] then
      local load = servers[i + 1]
      if not by_load[load] then
        by_load[load] = {}
        if row == 1 then loads[#loads + 1] = load end
      end
      table.insert(by_load[load], servers[i])
      by_load.least = by_load.least or load
    end
  end
  if not by_load.least then return nil end
  rows[row] = by_load
end
-- The least load that all rows have; if they have none in common, the least of each.
local common
for _, load in ipairs(loads) do
  local everywhere = true
  for _, by_load in ipairs(rows) do everywhere = everywhere and by_load[load] ~= nil end
  if everywhere then common = load break end
end
local chosen = {}
for row, by_load in ipairs(rows) do
  local equals = by_load[common or by_load.least]
  chosen[row] = equals[turn % #equals + 1]
  if add ~= 0 then redis.call('ZINCRBY', KEYS[row], add, chosen[row]) end
end
return chosen
