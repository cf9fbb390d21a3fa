"""The tests: architecture rules, one folder per context, scenarios, benchmarks, and the services they run on."""
