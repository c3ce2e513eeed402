// Every script under tests/golden/raft, compared to the last line; UPDATE=1 rewrites them.
#include "tests/golden.h"

#include <memory>

#include "tests/placement/raft/script.h"

namespace gaggle::raft::test {

TEST_CASE("raft: the golden scripts") {
    golden::run_folder("raft", [] {
        auto script = std::make_shared<Script>();  // shared by the copies of one handler
        return [script](const golden::Directive& line) { return script->run(line); };
    });
}

}  // namespace gaggle::raft::test
