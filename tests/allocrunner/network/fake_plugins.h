// CNI plugins that behave, without touching any network: shell scripts that keep their books in a
// folder.
//
// `fakenet` gives each container an address and writes it down; DEL strikes it out; CHECK fails for
// one that is not in the books. What a test writes into `mood` makes it misbehave: "fail", "hang",
// "wait" (until the mood changes), "garbage"; "keep" fails to DEL.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "allocrunner/network/settings.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

class FakePluginDir {
  public:
    FakePluginDir() {
        for (const char* folder : {"bin", "config", "books", "netns"})
            std::filesystem::create_directory(at(folder));
        write("bin/fakenet", script());
        chmod(at("bin/fakenet").c_str(), 0755);
        write("config/10-lan.conflist",
              R"({"cniVersion":"0.4.0","name":"lan","plugins":[{"type":"fakenet"}]})");
    }

    std::string at(const std::string& name) const { return scratch_.path() + "/" + name; }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(at(name), std::ios::binary) << text;
    }
    void set_mood(const std::string& mood) const { write("mood", mood); }
    /// Containers in the books.
    std::size_t containers() const {
        const std::filesystem::directory_iterator all(at("books"));
        return static_cast<std::size_t>(std::distance(begin(all), end(all)));
    }
    /// One line for each call: command, container, whether the namespace was there.
    std::string calls() const { return text_of(at("calls")); }

    NetworkSettings settings() const {
        NetworkSettings out;
        out.cni_path = at("none") + ":" + at("bin");
        out.cni_config_dir = at("config");
        out.netns_dir = at("netns");
        out.plugin_timeout = 10s;
        return out;
    }

  private:
    std::string script() const {
        return "#!/bin/sh\ncd " + scratch_.path() + R"sh( || exit 1
[ -z "$CNI_COMMAND" ] && { echo "CNI fakenet plugin v9.8.7" >&2; exit 0; }
input=$(cat)
echo "$CNI_COMMAND $CNI_CONTAINERID $([ -n "$CNI_NETNS" ] && echo inside || echo gone)" >> calls
mood=$(cat mood 2>/dev/null)
if [ "$CNI_COMMAND" = ADD ]; then
  case "$mood" in
    fail) echo '{"cniVersion":"0.4.0","code":7,"msg":"no address","details":"the range is full"}'
          echo half > "books/$CNI_CONTAINERID"; exit 1;;
    hang) sleep 1000;;
    wait) while [ "$(cat mood)" = wait ]; do sleep 0.02; done;;
    garbage) echo 'done!'; exit 0;;
  esac
  echo "$input" > "books/$CNI_CONTAINERID"
  echo '{"cniVersion":"0.4.0","interfaces":[{"name":"'"$CNI_IFNAME"'","sandbox":"'"$CNI_NETNS"'"}],
         "ips":[{"version":"4","interface":0,"address":"10.44.0.7/24"}],
         "dns":{"nameservers":["10.44.0.53"]}}'
elif [ "$CNI_COMMAND" = DEL ]; then
  [ "$mood" = keep ] && { echo '{"msg":"somebody has the lock"}'; exit 1; }
  rm -f "books/$CNI_CONTAINERID"
else
  [ -e "books/$CNI_CONTAINERID" ] || { echo '{"msg":"I do not know it"}'; exit 1; }
fi
)sh";
    }

    ScratchDir scratch_;
};

}  // namespace gaggle::allocrunner
