-- Sends one prepared request after the other, each with a URL of its own, and reports as one line of JSON.
-- Arguments: a file with one request target a line, the method, and the size of the body in bytes.

local requests, last = {}, 0

function init(args)
  local size = tonumber(args[3])
  local body = size > 0 and string.rep("v", size) or nil
  for target in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format(args[2], target, nil, body)
  end
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
