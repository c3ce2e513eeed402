#include "allocrunner/task_event.h"

#include <doctest/doctest.h>

namespace gaggle::allocrunner {

TEST_CASE("what a signal ended shows 128 and its number, beside the signal") {
    struct Row {
        TaskExit exit;
        const char* message;
        const char* code;
        const char* signal;
    };
    for (const Row& row :
         {Row{{.signal = 9}, "Exit Code: 137, Signal: 9", "137", "9"},
          Row{{.signal = 15}, "Exit Code: 143, Signal: 15", "143", "15"},
          Row{{.code = 3}, "Exit Code: 3", "3", "0"}, Row{{}, "Exit Code: 0", "0", "0"}}) {
        const TaskEvent event = event_terminated({}, row.exit);
        CHECK(event.message == row.message);
        CHECK(event.details.at("exit_code") == row.code);
        CHECK(event.details.at("signal") == row.signal);
    }
}

}  // namespace gaggle::allocrunner
