// Whatever the bytes are, the readers end with a job or with diagnostics, in bounded time.
#include "base/rng.h"
#include "base/wire.h"
#include "tests/placement/jobspec/text.h"

namespace gaggle {

using namespace jobtest;

namespace {

const char* const kPieces[] = {"{",
                               "}",
                               "[",
                               "]",
                               "(",
                               ")",
                               "\"",
                               "${",
                               "%{",
                               "$${",
                               "<<X",
                               "<<-X",
                               "\nX",
                               "\n",
                               " = ",
                               ",",
                               ":",
                               "?",
                               "-",
                               "!",
                               "/*",
                               "*/",
                               "#",
                               "//",
                               "var.",
                               "job",
                               "group \"a\" {\n",
                               "1e999",
                               "\\u",
                               "\xc3",
                               "null",
                               "0x",
                               "...",
                               "&&",
                               "task \"a\" {\n",
                               "\r\n",
                               "\0",
                               "*",
                               ".",
                               "99999999999999999999"};

std::string mutated(std::string text, Rng& rng) {
    const std::int64_t changes = rng.between(1, 4);
    for (std::int64_t i = 0; i < changes; ++i) {
        const std::size_t at = rng.below(text.size() + 1);
        const std::size_t length = rng.below(8);
        switch (rng.below(4)) {
            case 0: text.insert(at, kPieces[rng.below(std::size(kPieces))]); break;
            case 1: text.erase(at, length); break;
            case 2:
                text.replace(at, std::min<std::size_t>(1, text.size() - at), 1,
                             static_cast<char>(rng.below(256)));
                break;
            default: text.insert(at, text.substr(rng.below(text.size() + 1), rng.below(60))); break;
        }
    }
    return text;
}

/// True when the answer is consistent: a job without errors, or errors without a job.
bool consistent(const Parsed& parsed) {
    return parsed.job.has_value() != has_errors(parsed.diagnostics);
}

}  // namespace

TEST_CASE("mutated job files are answered") {
    Rng rng(1);
    std::vector<std::string> seeds;
    for (const char* name : {"redis", "hello", "batch"})
        seeds.push_back(read(in_repository(std::string("examples/") + name + ".nomad")));
    int jobs = 0;
    for (int round = 0; round < 20'000; ++round) {
        const std::string text = mutated(seeds[rng.below(seeds.size())], rng);
        const Parsed parsed = parse_job(text, "fuzz");
        if (!consistent(parsed)) FAIL("round " << round << ": " << text);
        if (!parsed.job) continue;
        ++jobs;
        // What is accepted can be shown and read again.
        if (round % 16 == 0)
            CHECK(job_from_api_json(job_to_api_json(*parsed.job)).value() == *parsed.job);
    }
    CHECK(jobs > 1000);
    CHECK(jobs < 19'000);
}

TEST_CASE("random pieces of the language are answered") {
    Rng rng(2);
    for (int round = 0; round < 20'000; ++round) {
        std::string text = rng.chance(0.5) ? "job \"a\" {\n" : "";
        for (std::uint64_t left = rng.below(40); left > 0; --left)
            text += kPieces[rng.below(std::size(kPieces))];
        if (!consistent(parse_job(text, "fuzz"))) FAIL("round " << round << ": " << text);
    }
}

TEST_CASE("random bytes are answered") {
    Rng rng(3);
    for (int round = 0; round < 5'000; ++round) {
        std::string text;
        for (std::uint64_t left = rng.below(200); left > 0; --left)
            text.push_back(static_cast<char>(rng.below(256)));
        CHECK(consistent(parse_job(text, "fuzz")));
        CHECK(!parse_job(text, "fuzz").job.has_value());
    }
}

TEST_CASE("mutated API JSON is answered") {
    Rng rng(4);
    const std::string seed = job_to_api_json(good(read(in_repository("examples/redis.nomad"))));
    for (int round = 0; round < 10'000; ++round) {
        const auto job = job_from_api_json(mutated(seed, rng));
        if (job.ok()) validate(*job);
    }
}

TEST_CASE(
    "mutated bytes of an encoded job are answered, and what they say can be judged and shown") {
    Rng rng(5);
    const Bytes seed = encode(good(read(in_repository("examples/redis.nomad"))));
    int decoded = 0;
    for (int round = 0; round < 20'000; ++round) {
        Bytes bytes = seed;
        for (std::uint64_t left = rng.below(3) + 1; left > 0; --left)
            bytes[rng.below(bytes.size())] = static_cast<std::uint8_t>(rng.below(256));
        const auto job =
            decode<Job>(bytes, "job", Limits{.fields = Fields::exact, .depth = kJobWireDepth});
        if (!job.ok()) continue;
        ++decoded;
        validate(*job);
        if (round % 8 == 0) CHECK(!job_to_api_json(*job).empty());
    }
    CHECK(decoded > 100);
}

TEST_CASE("texts made to be slow are not") {
    const auto repeat = [](const std::string& text, std::size_t times) {
        std::string all;
        all.reserve(text.size() * times);
        for (std::size_t i = 0; i < times; ++i) all += text;
        return all;
    };
    const std::size_t half = kJobSourceBytesMax / 2;
    // A careless reader walks the whole text again for every line, or nests without bound.
    for (const std::string& slow :
         {repeat("\"${ /*\n", half / 8), repeat("\"${{}\n", half / 8), repeat("<<X\n", half / 4),
          repeat("a {\n", half / 4), "a = \"" + repeat("${b}", half / 4) + "\"",
          "a = <<-X\n" + repeat("  ${b}\n", half / 8) + "X\n", repeat("}\n", half / 2),
          repeat("a = 1\n", half / 6), "a = [" + repeat("1,", half / 2) + "]",
          repeat("a b c\n", half / 6), "job \"a\" {\n" + repeat("x {\n}\n", half / 6) + "}"}) {
        CAPTURE(slow.substr(0, 12));
        CHECK(consistent(parse_job(slow, "slow")));
    }
    CHECK(to_string(parse_job(std::string(kJobSourceBytesMax + 1, ' '), "large").diagnostics) ==
          "large: error: a job file of 1048577 bytes; at most 1048576 are read\n");
}

}  // namespace gaggle
