import eie
from benchmarks.first_steps.yours import model, x, y

acc = eie.convert(model, board="pynq-z2", calibration=x, labels=y, keep_weights=True)
acc.compile()
outputs = acc.predict(x, engine="c++")
print(acc.evaluate(x, y))
