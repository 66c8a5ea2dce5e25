-- Sends the requests of a file one after another, each "METHOD path token" on a line; begins anew after the last.
-- What came of it is the last line wrk prints, as JSON: how many answers, in how long, how many wrong, and how late.
local requests, next_one = {}, 0

function init(args)
    for line in io.lines(args[1]) do
        local method, path, token = line:match("^(%S+) (%S+) (%S*)$")
        local headers = { ["Accept-Encoding"] = "gzip" }
        if token ~= "" then headers["Cookie"] = "ebranch=" .. token end
        requests[#requests + 1] = wrk.format(method, path, headers)
    end
end

function request()
    next_one = next_one % #requests + 1
    return requests[next_one]
end

function done(summary, latency)
    local wrong = summary.errors
    print(string.format('{"answers": %d, "us": %d, "wrong": %d, "p50_us": %d, "p99_us": %d}', summary.requests,
        summary.duration, wrong.connect + wrong.read + wrong.write + wrong.status + wrong.timeout,
        latency:percentile(50), latency:percentile(99)))
end
