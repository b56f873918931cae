// The same with the whole pipeline in the program; the configuration file says only where the broker is.
#include "agent/api/stream.h"
#include "agent/app/run_weir.h"
#include "keyed_average.h"

int main(int count, char** arguments) {
  weir::Stream::from("averages",
                     "mqtt = 'local', topics = ['numbers'], format = 'json', fields = { key = 'int', value = 'int' }")
      .with("checkpoint = { interval = '1s' }")
      .with("restart = { strategy = 'failure-rate', max_failures = 5, interval = '5min', delay = '1s' }")
      .key_by({"key"})
      .flat_map("average", keyed_average)
      .sink("mqtt = 'local', topic = 'averages/{key}', format = 'json'");
  return weir::run_weir(count, arguments);
}
