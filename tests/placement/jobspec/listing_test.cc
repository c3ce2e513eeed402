#include <doctest/doctest.h>

#include "placement/jobspec/jobspec.h"
#include "placement/jobspec/validate.h"

namespace gaggle {

TEST_CASE("services that would not fit in an allocation's record are refused") {
    const Parsed parsed = parse_job(R"(
job "web" {
  group "g" {
    service {
      name = "front"
      port = "80"
    }
    task "t" {
      driver = "raw_exec"
      config { command = "/bin/true" }
      service {
        name = "back"
        port = "81"
      }
    }
  }
})",
                                    "web.nomad");
    REQUIRE(parsed.job);
    Job job = *parsed.job;
    CHECK(validate(job).empty());
    job.groups[0].services[0].tags.assign(20, std::string(1000, 't'));
    CHECK(validate(job).empty());
    job.groups[0].tasks[0].services[0].tags.assign(5, std::string(1000, 't'));
    const auto found = validate(job);
    REQUIRE(found.size() == 1);
    CHECK(found[0].message.starts_with("the services of the group take 25"));
}

}  // namespace gaggle
