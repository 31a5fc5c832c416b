// Small dataflow regions, one for each test: scenarios NAME [NUMBER...] prints "key=value" records,
// each ended by a zero byte since messages have several lines.
#include <cstdlib>
#include <map>
#include <string>

#include "deadlock_scenarios.h"
#include "memory_scenarios.h"
#include "rule_scenarios.h"
#include "scenario.h"
#include "time_scenarios.h"

namespace {

const std::map<std::string, void (*)()> kScenarios = {
    {"arrays", arrays},
    {"chain", chain},
    {"deep_stack", deep_stack},
    {"diamond", diamond},
    {"exception", exception},
    {"exception_in_last_process", exception_in_last_process},
    {"feedback", feedback},
    {"growth", growth},
    {"leave_elements", leave_elements},
    {"many_regions", many_regions},
    {"misuse", misuse},
    {"offer", offer},
    {"outside", outside},
    {"overflow", overflow},
    {"pass_elements", pass_elements},
    {"poll", poll},
    {"poll_for_long", poll_for_long},
    {"poll_while_working", poll_while_working},
    {"poll_without_end", poll_without_end},
    {"pollers", pollers},
    {"stall", stall},
    {"twice", twice},
    {"two_users", two_users},
    {"work_in_silence", work_in_silence},
};

}  // namespace

int main(int count, char** values) {
  for (int i = 2; i < count; ++i) arguments.push_back(std::atoi(values[i]));
  kScenarios.at(values[1])();
}
