/* The ring of the kernel, for the model checker spin: control unit, a stalling pipeline, broadcast,
 * two PEs, gather and collect, with streams as short as they can be. Every interleaving is explored.
 *
 *   spin -a ring.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan
 *
 * It must find no state in which nothing can go on, and no assertion broken: `hidden` is never
 * full, and vectors come out in order. With one of these it must find a deadlock:
 *   -DNO_RESERVATION  vectors begin whether or not `hidden` has room for what they may leave in it
 *   -DKEEPS_ENDS      the pipeline keeps the end of a layer until something follows
 * So the model can fail, and both rules are needed.
 *
 * A process that polls is written as one that waits for any of what it polls for: to poll in vain
 * changes nothing. Which of an input and a hidden vector has precedence is left open.
 */
#ifndef VECTORS
#define VECTORS 3
#endif
#ifndef LAYERS
#define LAYERS 3
#endif
/* Words of every vector, which are the rows of a PE: a word has a row of each of both PEs. */
#ifndef WORDS
#define WORDS 2
#endif
#define PES 2
#ifdef NO_RESERVATION
#define MAY_START true
#else
#define MAY_START (under_way < ROOM)
#endif
/* Vectors that `hidden` has room for. */
#ifndef ROOM
#define ROOM 2
#endif

/* What travels: its vector and layer, and whether it is the last of its layer. `hidden` is a word
 * of Promela's own, so it is called `returned`. */
chan inputs = [1] of { byte, bit };
chan returned = [ROOM * WORDS] of { byte, byte, bit };
chan vectors = [1] of { byte, byte, bit };
chan activations = [1] of { byte, byte, bit };
chan queue[PES] = [1] of { byte, byte, bit };
chan results[PES] = [1] of { byte, byte, bit };
chan commands = [1] of { byte, byte };
chan outputs = [1] of { byte, bit };

active proctype receive() {
  byte vector, word;
  for (vector : 0 .. VECTORS - 1) {
    for (word : 0 .. WORDS - 1) {
      inputs ! vector, (word == WORDS - 1)
    }
  }
}

active proctype control_activations() {
  byte vector, layer, started, ended, under_way;
  bit last;
  do
  :: ended == VECTORS -> break
  :: else ->
    /* Between layers: whichever of its streams has something. */
    if
    :: started < VECTORS && MAY_START && len(inputs) > 0 ->
      inputs ? vector, last; layer = 0; started++; under_way++
    :: len(returned) > 0 -> returned ? vector, layer, last; layer++
    fi;
    /* Within a layer: the same stream until its last word. */
    do
    :: vectors ! vector, layer, last;
      if
      :: last -> break
      :: else ->
        if
        :: layer == 0 -> inputs ? vector, last
        :: else -> returned ? vector, layer, last; layer++
        fi
      fi
    od;
    commands ! vector, layer;
    if
    :: layer == LAYERS - 1 -> ended++; under_way--
    :: else
    fi
  od
}

/* Any loop between control unit and PEs that waits for input: it moves on what it holds only when
 * more comes, or when it ends, which it does with a layer. */
active proctype pipeline() {
  byte vector, layer, next_vector, next_layer;
  bit last, next_last, holds;
end:
  do
  :: vectors ? next_vector, next_layer, next_last;
    if
    :: holds -> activations ! vector, layer, last
    :: else
    fi;
    vector = next_vector; layer = next_layer; last = next_last; holds = 1;
#ifndef KEEPS_ENDS
    if
    :: last -> activations ! vector, layer, last; holds = 0
    :: else
    fi
#endif
  od
}

active proctype broadcast() {
  byte vector, layer;
  bit last;
end:
  do
  :: activations ? vector, layer, last;
    queue[0] ! vector, layer, last;
    queue[1] ! vector, layer, last
  od
}

/* The multiplier: a row an iteration while there are rows, and a token if there is one; the end of
 * a layer is not taken before the rows of the layer before it are out. */
active [PES] proctype multiply_accumulate() {
  byte pe = _pid - 4;
  byte vector, layer, back_vector, back_layer, rows;
  bit last, have;
end:
  do
  :: rows > 0 ->
    results[pe] ! back_vector, back_layer, (rows == 1);
    rows--;
    if
    :: !have && len(queue[pe]) > 0 -> queue[pe] ? vector, layer, last; have = 1
    :: have || len(queue[pe]) == 0
    fi;
    if
    :: have && !last -> have = 0
    :: else
    fi
  :: rows == 0 && !have && len(queue[pe]) > 0 -> queue[pe] ? vector, layer, last; have = 1
  :: rows == 0 && have ->
    have = 0;
    if
    :: last -> back_vector = vector; back_layer = layer; rows = WORDS
    :: else
    fi
  od
}

active proctype gather_and_collect() {
  byte vector, layer, of_vector, of_layer;
  bit last;
end:
  do
  :: commands ? of_vector, of_layer;
    do
    :: results[0] ? vector, layer, last;
      assert(vector == of_vector && layer == of_layer);
      results[1] ? vector, layer, last;
      assert(vector == of_vector && layer == of_layer);
      if
      :: layer == LAYERS - 1 -> outputs ! vector, last
      :: else ->
#ifndef NO_RESERVATION
        assert(len(returned) < ROOM * WORDS);
#endif
        returned ! vector, layer, last
      fi;
      if
      :: last -> break
      :: else
      fi
    od
  od
}

active proctype send() {
  byte vector, expected, word;
  bit last;
  for (expected : 0 .. VECTORS - 1) {
    for (word : 0 .. WORDS - 1) {
      outputs ? vector, last;
      assert(vector == expected)
    }
  }
}
