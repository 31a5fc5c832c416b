import hls4ml
import numpy as np

from benchmarks.first_steps.yours import model, x, y

config = hls4ml.utils.config_from_pytorch_model(
    model, input_shape=(64,), granularity="name", backend="Vitis"
)
converted = hls4ml.converters.convert_from_pytorch_model(
    model,
    hls_config=config,
    backend="Vitis",
    part="xc7z020clg400-1",
    output_dir="build/first-steps/hls4ml",
)
converted.compile()
outputs = converted.predict(x)
print("accuracy", np.mean(outputs.argmax(axis=1) == y))
