#include "allocrunner/setup/template_parse.h"

#include <algorithm>

namespace gaggle::setup {

namespace {

using Kind = Token::Kind;

/// What ends a block of statements.
struct Ending {
    std::string word;  ///< "end", "else", or empty at the text's end
    Place place;
};

class Parser {
  public:
    Parser(std::vector<Token> tokens, const std::function<bool(const std::string&)>& is_function)
        : tokens_(std::move(tokens)), is_function_(is_function) {}

    Result<ParsedTemplate> run() {
        Ending ending;
        out_.main = TRY(block(ending));
        if (!ending.word.empty())
            return error_at(ending.place, "\"" + ending.word + "\" without its if, with or range");
        return std::move(out_);
    }

  private:
    const Token& here() const { return tokens_[at_]; }
    const Token& after() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
    bool is(Kind kind) const { return here().kind == kind; }
    bool is_word(std::string_view word) const { return is(Kind::word) && here().text == word; }
    const Token& take() { return tokens_[at_ < tokens_.size() - 1 ? at_++ : at_]; }
    Error wrong(const std::string& why) const { return error_at(here().place, why); }

    std::string shown() const {
        if (is(Kind::close) || is(Kind::end)) return "the end of the action";
        if (is(Kind::word) || is(Kind::variable)) return "\"" + here().text + "\"";
        if (is(Kind::field)) return "\"." + here().text + "\"";
        if (is(Kind::literal)) return "a value";
        return "a mark";
    }

    Result<void> expect_close(const char* what) {
        if (!is(Kind::close)) return wrong("unexpected " + shown() + " in " + what);
        take();
        return {};
    }

    /// Statements until an action `end` or `else`, which is consumed up to that word.
    Result<Block> block(Ending& ending) {
        if (++depth_ > kTemplateNestingMax) return wrong("blocks nest too deeply");
        const std::size_t variables = variables_.size();
        Block out;
        ending = {};
        while (!is(Kind::end)) {
            if (is(Kind::text)) {
                const Token& text = take();
                out.push_back(
                    {.kind = Statement::Kind::text, .place = text.place, .text = text.text});
                continue;
            }
            take();  // open
            if (is_word("end") || is_word("else")) {
                ending = {here().text, here().place};
                take();
                break;
            }
            auto made = TRY(statement());
            for (Statement& one : made) out.push_back(std::move(one));
        }
        variables_.resize(variables);
        --depth_;
        return out;
    }

    /// None for a definition.
    Result<Block> statement() {
        const Place place = here().place;
        if (is_word("if") || is_word("with") || is_word("range")) return one(control());
        if (is_word("template")) return one(call());
        if (is_word("define")) return define();
        if (is_word("block")) return inline_block();
        if (is_word("break") || is_word("continue")) {
            if (loops_ == 0) return wrong(here().text + " outside of a range");
            const bool stop = take().text == "break";
            TRY(expect_close("break"));
            return Block{
                {.kind = stop ? Statement::Kind::stop : Statement::Kind::next, .place = place}};
        }
        Statement print{.kind = Statement::Kind::print, .place = place};
        print.pipeline = TRY(pipeline());
        TRY(expect_close("a command"));
        return Block{std::move(print)};
    }

    static Result<Block> one(Result<Statement> made) {
        Block out;
        out.push_back(TRY(std::move(made)));
        return out;
    }

    Result<Statement> control() {
        const Token& word = take();
        Statement out{.place = word.place};
        const bool range = word.text == "range";
        out.kind = range ? Statement::Kind::range
                         : (word.text == "if" ? Statement::Kind::branch : Statement::Kind::with);
        const std::size_t variables = variables_.size();
        out.pipeline = TRY(pipeline(range));
        TRY(expect_close(word.text.c_str()));
        Ending ending;
        loops_ += range ? 1 : 0;
        Result<Block> body = block(ending);
        loops_ -= range ? 1 : 0;
        out.body = TRY(std::move(body));
        TRY(otherwise(word, ending, out));
        variables_.resize(variables);
        return out;
    }

    Result<void> otherwise(const Token& word, Ending& ending, Statement& out) {
        const auto never = [&] {
            return error_at(word.place, "\"" + word.text + "\" without its end");
        };
        if (ending.word.empty()) return never();
        if (ending.word == "end") return expect_close("end");
        // `else if` is an if inside the else that shares the end.
        if ((is_word("if") || is_word("with")) && word.text != "range") {
            if (++depth_ > kTemplateNestingMax) return wrong("blocks nest too deeply");
            out.otherwise.push_back(TRY(control()));
            --depth_;
            return {};
        }
        TRY(expect_close("else"));
        out.otherwise = TRY(block(ending));
        if (ending.word.empty()) return never();
        if (ending.word == "else") return error_at(ending.place, "a second else");
        return expect_close("end");
    }

    Result<std::string> name_of_template() {
        if (!is(Kind::literal) || here().literal.text() == nullptr)
            return wrong("the name of a template must be a string in quotes");
        return *take().literal.text();
    }

    Result<Statement> call() {
        Statement out{.kind = Statement::Kind::call, .place = take().place};
        out.text = TRY(name_of_template());
        if (!is(Kind::close)) out.pipeline = TRY(pipeline());
        TRY(expect_close("template"));
        return out;
    }

    Result<void> body_of(const std::string& name, Place place) {
        // Variables of the template around are not seen inside.
        const std::vector<std::string> around = std::exchange(variables_, {"$"});
        const int loops = std::exchange(loops_, 0);
        Ending ending;
        Block body = TRY(block(ending));
        if (ending.word != "end")
            return error_at(place, "\"" + name + "\" is not closed by an end");
        TRY(expect_close("end"));
        variables_ = around;
        loops_ = loops;
        out_.named[name] = std::move(body);
        return {};
    }

    Result<Block> define() {
        const Place place = take().place;
        if (depth_ > 1) return error_at(place, "define inside of another block");
        const std::string name = TRY(name_of_template());
        TRY(expect_close("define"));
        TRY(body_of(name, place));
        return Block{};
    }

    Result<Block> inline_block() {
        Statement out{.kind = Statement::Kind::call, .place = take().place};
        out.text = TRY(name_of_template());
        out.pipeline = TRY(pipeline());
        TRY(expect_close("block"));
        TRY(body_of(out.text, out.place));
        return Block{std::move(out)};
    }

    bool declares() const {
        return is(Kind::variable) &&
               (after().kind == Kind::declare || after().kind == Kind::assign);
    }

    Result<void> declarations(Pipeline& out, bool range) {
        if (range && is(Kind::variable) && after().kind == Kind::comma) {
            out.declared.push_back(take().text);
            take();
            if (!declares()) return wrong("range wants two variables: $index, $item := ...");
        }
        if (!declares()) return {};
        out.declared.push_back(take().text);
        out.assigns = take().kind == Kind::assign;
        return {};
    }

    bool is_known(const std::string& variable) const {
        return std::find(variables_.begin(), variables_.end(), variable) != variables_.end();
    }

    Result<Pipeline> pipeline(bool range = false) {
        if (++depth_ > kTemplateNestingMax) return wrong("parentheses nest too deeply");
        Pipeline out{.place = here().place};
        TRY(declarations(out, range));
        if (out.assigns)
            for (const std::string& name : out.declared)
                if (!is_known(name))
                    return wrong("variable " + name + " is not declared; write :=");
        do out.commands.push_back(TRY(command()));
        while (is(Kind::pipe) && (take(), true));
        if (!out.assigns)
            variables_.insert(variables_.end(), out.declared.begin(), out.declared.end());
        --depth_;
        return out;
    }

    Result<Command> command() {
        Command out;
        while (!is(Kind::pipe) && !is(Kind::close) && !is(Kind::right) && !is(Kind::end))
            out.words.push_back(TRY(operand()));
        if (out.words.empty()) return wrong("a command is missing before " + shown());
        return out;
    }

    Result<Operand> operand() {
        Operand out{.place = here().place};
        const Token& token = here();
        switch (token.kind) {
            case Kind::literal: out.literal = take().literal; break;
            case Kind::dot:
                out.kind = Operand::Kind::dot;
                take();
                break;
            case Kind::field:
                out.kind = Operand::Kind::dot;
                out.fields.push_back(take().text);
                break;
            case Kind::variable:
                if (!is_known(token.text)) return wrong("undefined variable " + token.text);
                out.kind = Operand::Kind::variable;
                out.name = take().text;
                break;
            case Kind::left:
                out.kind = Operand::Kind::group;
                take();
                out.group.push_back(TRY(pipeline()));
                if (!is(Kind::right)) return wrong("unexpected " + shown() + "; a ) is missing");
                take();
                break;
            case Kind::word: TRY(word(out)); break;
            default: return wrong("unexpected " + shown());
        }
        while (is(Kind::field) && here().glued) {
            if (out.kind == Operand::Kind::literal) return wrong("a value has no fields");
            out.fields.push_back(take().text);
        }
        return out;
    }

    Result<void> word(Operand& out) {
        const std::string& name = here().text;
        if (name == "true" || name == "false") {
            out.literal = {name == "true"};
        } else if (name != "nil") {
            if (!is_function_(name))
                return wrong("function \"" + name + "\" is not known; docs/tasks.md lists them");
            out.kind = Operand::Kind::function;
            out.name = name;
        }
        take();
        return {};
    }

    std::vector<Token> tokens_;
    const std::function<bool(const std::string&)>& is_function_;
    std::size_t at_ = 0;
    int depth_ = 0;
    int loops_ = 0;
    std::vector<std::string> variables_{"$"};
    ParsedTemplate out_;
};

}  // namespace

Result<ParsedTemplate> parse_template(std::string_view text, const Delimiters& delimiters,
                                      const std::function<bool(const std::string&)>& is_function) {
    return Parser(TRY(lex_template(text, delimiters)), is_function).run();
}

}  // namespace gaggle::setup
