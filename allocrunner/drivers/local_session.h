// A session that is a process of this machine, with pipes or a terminal of its own.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "allocrunner/drivers/exec_session.h"
#include "allocrunner/network/alloc_network.h"
#include "base/account.h"

namespace gaggle::allocrunner {

struct SessionProcess {
    std::string executable;  ///< a path
    std::vector<std::string> argv;
    std::map<std::string, std::string> env;  ///< complete
    std::string work_dir;
    TaskNetwork network;             ///< to enter first
    std::optional<Account> account;  ///< to become
    std::optional<TerminalSize> terminal;
    std::string group;      ///< directory of a control group to enter, if it is there; or empty
    std::string pid_file;   ///< one more process to kill when the session is given up; or empty
    std::string pid_group;  ///< the control group ("/gaggle/x") that this one must be in
    std::string scratch;    ///< a folder that is removed with all in it in the end; or empty
};

Result<std::unique_ptr<ExecSession>> start_session(const SessionProcess& process);

}  // namespace gaggle::allocrunner
