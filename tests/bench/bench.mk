.PHONY: bench native-sanitize paths

bench: $(STAMP) ## how fast the native path is: ratios, also in build/bench.json
	@$(PYTHON_ENV) -m tests.bench

native-sanitize: $(STAMP) ## the tests of native/ under AddressSanitizer and UBSan
	@VIRTIO_COSIM_SANITIZE=1 LD_PRELOAD="$$($${CC:-cc} -print-file-name=libasan.so)" \
	  ASAN_OPTIONS=detect_leaks=0:halt_on_error=1 $(PYTHON_ENV) -m pytest -s tests/native -m "not simulator"

paths: $(STAMP) ## a hundred seeds of traffic and errors give the same traces on both paths
	@VIRTIO_COSIM_SEEDS=100 $(PYTHON_ENV) -m pytest tests/native/test_paths.py -k same_trace
