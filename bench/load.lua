-- Sends one prepared request after the other, each as it stands in the file, and reports as one line of JSON.
-- Arguments: the file, in which a zero byte ends each request, and how many of them to leave out at first.
-- In `request` nothing is put together: at 50,000 a second each microsecond would be a part of the measurement.

local requests, last = {}, 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local text = file:read("*a")
  file:close()
  local from = 1
  while true do
    local zero = text:find("\0", from, true)
    if not zero then break end
    requests[#requests + 1] = text:sub(from, zero - 1)
    from = zero + 1
  end
  last = tonumber(args[2])
end

function request()
  last = last % #requests + 1
  return requests[last]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "duration_us": %d, "bytes": %d, "refused": %d, "failed": %d, "p50_us": %d, "p99_us": %d}\n',
    summary.requests, summary.duration, summary.bytes, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
