#include "placement/scheduler/constraint.h"

#include <doctest/doctest.h>

#include "tests/placement/scheduler/fixtures.h"

namespace gaggle {

TEST_CASE("a target resolves to what the peer says of itself") {
    PeerView peer = fixtures::peer(7);
    peer.description.node_class = "big";
    peer.description.node_pool = "gpu";
    peer.description.meta = {{"rack", "r1"}};
    struct Row {
        const char* target;
        std::optional<std::string> value;
    };
    for (const Row& row :
         {Row{"${attr.kernel.name}", "linux"}, Row{"${meta.rack}", "r1"},
          Row{"${node.unique.id}", to_string(peer.id)}, Row{"${node.unique.name}", "peer-7"},
          Row{"${node.datacenter}", "dc1"}, Row{"${node.class}", "big"}, Row{"${node.pool}", "gpu"},
          Row{"linux", "linux"}, Row{"", ""}, Row{"${meta.none}", {}}, Row{"${attr.none}", {}},
          Row{"${node.colour}", {}}, Row{"${attr.kernel.name", {}}}) {
        CAPTURE(row.target);
        CHECK(resolve_target(row.target, peer) == row.value);
    }
}

TEST_CASE("the operands hold as Nomad's do") {
    using Maybe = std::optional<std::string>;
    struct Row {
        Maybe left;
        const char* operand;
        Maybe right;
        bool holds;
    };
    for (const Row& row : {
             Row{"linux", "=", "linux", true},
             Row{"linux", "==", "linux", true},
             Row{"linux", "is", "windows", false},
             Row{{}, "=", "linux", false},
             Row{{}, "=", {}, false},
             Row{"linux", "!=", "windows", true},
             Row{"linux", "not", "linux", false},
             Row{{}, "!=", "linux", true},
             Row{"linux", "!=", {}, true},
             Row{"9", "<", "10", true},
             Row{"9", ">", "10", false},
             Row{"1.5", "<", "1.25", false},
             Row{"10", "<=", "10.0", true},
             Row{"b9", ">", "b10", true},
             Row{"-1", "<", "1", true},
             Row{"abc", ">=", "abc", true},
             Row{{}, "<", "10", false},
             Row{"4.15.0", "regexp", "^4\\.", true},
             Row{"4.15.0", "regexp", "^5", false},
             Row{"x", "regexp", "(", false},
             Row{"4.15.0", "version", ">= 4.0", true},
             Row{"1.2.3-beta", "version", "> 1.0", false},
             Row{"1.2.3-beta", "semver", "> 1.0.0", true},
             Row{"v1.2.3", "semver", ">= 1.0.0", false},
             Row{"a, b,c", "set_contains", "c,a", true},
             Row{"a,b", "set_contains_all", "a,d", false},
             Row{"a,b", "set_contains_any", "d,b", true},
             Row{"a,b", "set_contains_any", "d", false},
             Row{"", "is_set", "", true},
             Row{{}, "is_set", "", false},
             Row{{}, "is_not_set", "", true},
             Row{"x", "is_not_set", "", false},
             Row{{}, "distinct_hosts", "true", true},
             Row{"x", "almost", "x", false},
         }) {
        CAPTURE(row.left.value_or("(missing)"));
        CAPTURE(row.operand);
        CAPTURE(row.right.value_or("(missing)"));
        CHECK(operand_holds(row.operand, row.left, row.right) == row.holds);
    }
}

TEST_CASE("a constraint prints as in Nomad's metrics") {
    CHECK(text_of({"${attr.kernel.name}", "=", "windows"}) == "${attr.kernel.name} = windows");
    CHECK(text_of({"", "distinct_hosts", "true"}) == "distinct_hosts");
    CHECK(text_of({"${meta.gpu}", "is_set", ""}) == "${meta.gpu} is_set");
    CHECK(!is_distinct_hosts({"", "distinct_hosts", "false"}));
}

}  // namespace gaggle
