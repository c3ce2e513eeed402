#include "allocrunner/network/settings.h"

#include <doctest/doctest.h>

namespace gaggle::allocrunner {

TEST_CASE("an operator's bridge must be one that the kernel and the plugins take") {
    struct Row {
        const char* name;
        const char* subnet;
        const char* says;  ///< empty: right
    };
    for (const auto& [name, subnet, says] : {
             Row{"gaggle", "172.26.64.0/20", ""},
             Row{"br-7_x", "10.0.0.0/8", ""},
             Row{"", "10.0.0.0/8", "--bridge-name"},
             Row{"sixteen-letters-", "10.0.0.0/8", "--bridge-name"},
             Row{"a/b", "10.0.0.0/8", "--bridge-name"},
             Row{"gaggle", "10.0.0.0", "--bridge-subnet"},
             Row{"gaggle", "10.0.0/8", "--bridge-subnet"},
             Row{"gaggle", "10.0.0.256/8", "--bridge-subnet"},
             Row{"gaggle", "10.0.0.0/31", "--bridge-subnet"},
             Row{"gaggle", "10.0.0.-1/8", "--bridge-subnet"},
             Row{"gaggle", "fd00::/64", "--bridge-subnet"},
             Row{"gaggle", "10.0.0.0/8 ", "--bridge-subnet"},
         }) {
        CAPTURE(name);
        CAPTURE(subnet);
        const auto judged = check_settings({.bridge_name = name, .bridge_subnet = subnet});
        CHECK(judged.ok() == (*says == '\0'));
        if (!judged.ok()) CHECK(judged.error().detail.find(says) == 0);
    }
}

}  // namespace gaggle::allocrunner
