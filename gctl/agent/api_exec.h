// A terminal at a task: Nomad's exec WebSocket on one side, the exec questions on the other.
//
// What the client types is sent on in order, one ExecWrite at a time, and the client is listened to
// only while little of it waits. Output is asked for again when the last of it has left for the
// client. So neither side can pile up anything here. Frames are Nomad's (nomad.md section 2.1):
// {"stdin":{"data":..,"close":..}}, {"tty_size":{..}} and {} one way, {"stdout":{"data":..}} and at
// the end {"exited":true,"result":{"exit_code":n}} the other.
#pragma once

#include <optional>
#include <string>

#include "gctl/agent/api_exchange.h"

namespace gaggle {

class ExecFlow : public Flow {
  public:
    ExecFlow(AllocId alloc, node::ExecStart start) : alloc_(alloc), start_(std::move(start)) {}

    void begin(Exchange& exchange);
    void written(Exchange& exchange) override;
    void message(Exchange& exchange, const std::string& text) override;
    void gone(Exchange& exchange) override;

  private:
    node::AskPeer ask(node::LocalQuestion what) const;
    void read(Exchange& exchange);
    void got(Exchange& exchange, const node::ExecOutput& output);
    void write(Exchange& exchange);
    void taken(Exchange& exchange, std::uint64_t offset);
    void listen(Exchange& exchange);
    void fail(Exchange& exchange, const Error& error);

    AllocId alloc_;
    node::ExecStart start_;
    PeerId peer_;             ///< that runs the task
    std::uint64_t read_ = 0;  ///< bytes of output that have come
    Bytes input_;             ///< not yet taken, beginning at `input_from_`
    std::uint64_t input_from_ = 0;
    bool close_ = false;  ///< behind `input_`
    bool close_sent_ = false;
    std::optional<node::ExecSize> size_;  ///< not yet sent
    bool writing_ = false;
    bool listening_ = false;
};

}  // namespace gaggle
