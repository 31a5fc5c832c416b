"""Weights of Keras models: of a saved one (``.keras``) without Keras, or of one in Python.

Keras itself is not asked to load a file: its safe mode has let code through more than once, and
builds layers before anything of it can be judged. A ``.keras`` file is a zip archive of a JSON text
and an HDF5 file, which are read here as they are. HDF5 can point to other files and decompress to
any size: whatever is not plain numbers in the file itself is refused.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.archives import Archive
from eie.hls.boundary.errors import InputError, ModelError
from eie.hls.boundary.file_kinds import identify, is_regular, refusal
from eie.hls.boundary.installation import how_to_install
from eie.hls.boundary.text import shown

__all__ = ["KerasWeights", "LiveWeights", "SavedWeights", "load_keras_file"]

#: Bytes of the model's description at most.
_MOST_TEXT = 16 << 20
_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"


class KerasWeights(Protocol):
    """Gives the weights of a layer."""

    def of(
        self, path: Sequence[str], group: Sequence[str], *, inside: Sequence[str] = ()
    ) -> list[npt.NDArray[Any]]:
        """Weights of a layer in Keras' order.

        Parameters
        ----------
        path
            Names of the models around it, and its own.
        group
            The same by class and number, as a file has them.
        inside
            Parts of the layer that a file has its weights in.

        Raises
        ------
        InputError
            If there are none, or what is there must not be read.
        """
        ...  # pragma: no cover


class LiveWeights:
    """Weights of a Keras model in Python."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def of(
        self, path: Sequence[str], group: Sequence[str], *, inside: Sequence[str] = ()
    ) -> list[npt.NDArray[Any]]:
        """See :class:`KerasWeights`."""
        part = self._model
        for name in path:
            part = part.get_layer(name)
        return [np.array(each) for each in part.get_weights()]


class SavedWeights:
    """Weights in an HDF5 file of Keras.

    Parameters
    ----------
    data
        The file's bytes.

    Raises
    ------
    InputError
        If they are no HDF5 file.
    ImportError
        If h5py is not installed.
    """

    def __init__(self, data: bytes) -> None:
        try:
            import h5py
        except ModuleNotFoundError as error:
            raise ImportError(
                f"reading a .keras file needs h5py, which is not installed: "
                f"{how_to_install('keras')}"
            ) from error
        self._h5py = h5py
        try:
            self._file = h5py.File(io.BytesIO(data), "r")
        except Exception as error:  # the library raises half a dozen kinds
            raise InputError(f"its {_WEIGHTS} is no HDF5 file: {error}") from None

    def of(
        self, path: Sequence[str], group: Sequence[str], *, inside: Sequence[str] = ()
    ) -> list[npt.NDArray[Any]]:
        """See :class:`KerasWeights`."""
        place: Any = self._file
        try:
            where = [part for each in group for part in ("layers", each)]
            for name in [*where, *inside, "vars"]:
                place = self._inside(place, name)
            own = None if inside else place.attrs.get("name")
            if own is not None and own != path[-1]:
                raise InputError(f"has the weights of {shown(own)} in its place")
            return [self._numbers(self._inside(place, str(number))) for number in range(len(place))]
        except InputError:
            raise
        except Exception as error:  # as above
            raise InputError(f"has weights that cannot be read: {error}") from None

    def _inside(self, group: Any, name: str) -> Any:
        if not isinstance(group, self._h5py.Group) or name not in group:
            raise InputError("has no weights in the file")
        if not isinstance(group.get(name, getlink=True), self._h5py.HardLink):
            raise InputError("has weights that are a link to another place")
        return group[name]

    def _numbers(self, dataset: Any) -> npt.NDArray[Any]:
        plain = (
            isinstance(dataset, self._h5py.Dataset)
            and dataset.dtype.kind in "fiu"
            and dataset.external is None
            and not dataset.is_virtual
            and dataset.id.get_create_plist().get_nfilters() == 0
            and dataset.id.get_storage_size() == dataset.size * dataset.dtype.itemsize
        )
        if not plain:
            raise InputError(
                "has weights that are not plain numbers in the file itself (compressed, virtual, "
                "in another file, or of another type)"
            )
        return np.array(dataset[()])


def load_keras_file(path: Path) -> tuple[Mapping[str, Any], SavedWeights]:
    """Read a ``.keras`` file: what describes the model, and its weights.

    Raises
    ------
    ModelError
        If it is missing, something else, damaged, or of Keras 2.
    ImportError
        If h5py is not installed.
    """
    if not is_regular(path):
        missing = identify(path).name == "missing"
        raise ModelError(f"no model file at {path}" if missing else refusal(path, "model"))
    try:
        with path.open("rb") as file, Archive(file) as archive:
            total = sum(archive.sizes.values())
            if not archive.stored or total > path.stat().st_size:
                raise InputError("its members must not be compressed or overlap")
            if archive.sizes.get(_CONFIG, 0) > _MOST_TEXT:
                raise InputError(f"its {_CONFIG} must take at most {_MOST_TEXT} bytes")
            description = json.loads(archive.read(_CONFIG))
            weights = SavedWeights(archive.read(_WEIGHTS))
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error}") from error
    except (InputError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{path} is no Keras model that can be read: {error}; save it with Keras 3 "
            "(model.save('model.keras'))"
        ) from None
    if not isinstance(description, dict):
        raise ModelError(f"{path} is no Keras model that can be read: it describes none")
    return description, weights
