"""Memory that is used again."""

import pickle
import threading

import torch

from styletut.kernels.buffers import Buffers, scratch

CPU = torch.device("cpu")


def test_maps_of_one_name_share_their_memory():
    buffers = Buffers()
    large = buffers.maps("a", (1, 4, 6, 5), torch.float32, CPU)
    assert large.shape == (1, 4, 6, 5)
    assert large.is_contiguous(memory_format=torch.channels_last)
    small = buffers.maps("a", (1, 2, 3, 5), torch.float32, CPU)
    assert small.data_ptr() == large.data_ptr()
    other = buffers.maps("b", (1, 4, 6, 5), torch.float32, CPU)
    assert other.data_ptr() != large.data_ptr()
    assert buffers.nbytes == 2 * 4 * 4 * 6 * 5


def test_another_dtype_or_more_numbers_take_the_place_of_what_was():
    buffers = Buffers()
    buffers.maps("a", (1, 2, 3, 4), torch.float32, CPU)
    double = buffers.maps("a", (1, 2, 3, 4), torch.float64, CPU)
    assert double.dtype == torch.float64
    assert buffers.nbytes == 8 * 24
    buffers.maps("a", (1, 2, 3, 8), torch.float64, CPU)
    assert buffers.nbytes == 8 * 48


def test_each_thread_has_a_scratch_of_its_own():
    here = scratch("x", (3, 4))
    assert scratch("x", (2, 2)).data_ptr() == here.data_ptr()
    there = []
    thread = threading.Thread(target=lambda: there.append(scratch("x", (3,))))
    thread.start()
    thread.join()
    assert there[0].data_ptr() != here.data_ptr()


def test_buffers_made_in_inference_mode_serve_outside_it():
    buffers = Buffers()
    with torch.inference_mode():
        buffers.maps("a", (1, 2, 3, 4), torch.float32, CPU)
    again = buffers.maps("a", (1, 2, 3, 4), torch.float32, CPU)
    again.zero_()


def test_a_copy_of_buffers_is_empty():
    buffers = Buffers()
    buffers.maps("a", (1, 2, 3, 4), torch.float32, CPU)
    assert pickle.loads(pickle.dumps(buffers)).nbytes == 0
