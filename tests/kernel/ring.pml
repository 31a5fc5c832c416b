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
 * With -DCHAINS layers hold and add: the last but one holds what arrives and adds to sums, the last
 * takes what was held, and its lane's state, and adds to the same sums; its results go out and come
 * back to be held, and with them the vector ends. Vectors are dealt to LANES lanes in turn. Then a
 * PE must get no word of another vector while sums are open, and what is taken must be what this
 * vector held, and what the one before it in its lane left. With one of these that must be broken:
 *   -DLETS_OTHERS_IN  a vector may begin between the layers of a chain
 *   -DBUSY_LANES      a vector may begin in a lane with another under way
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
#ifndef LANES
#define LANES 2
#endif
/* Vectors of a group: what is called a vector here is then one, with the words of each, and between
 * control unit and pipeline there is a process that makes one word of ABREAST. */
#ifndef ABREAST
#define ABREAST 1
#endif
#define GROUP_WORDS (WORDS * ABREAST)
#define PES 2
#define LAST (LAYERS - 1)
/* Whether the next layer adds to the same sums, and whether results come back. */
#ifdef CHAINS
#define ADDS(layer) ((layer) == LAST - 1)
#define COMES_BACK(layer) true
#else
#define ADDS(layer) false
#define COMES_BACK(layer) ((layer) != LAST)
#endif
#if defined(CHAINS) && !defined(BUSY_LANES)
#define LANE_IS_FREE (!busy[started % LANES])
#else
#define LANE_IS_FREE true
#endif
#ifdef NO_RESERVATION
#define MAY_START LANE_IS_FREE
#else
#define MAY_START (under_way < ROOM && LANE_IS_FREE)
#endif
/* Vectors that `hidden` has room for. */
#ifndef ROOM
#define ROOM 2
#endif

/* What travels: its vector and layer, and whether it is the last of its layer. `hidden` is a word
 * of Promela's own, so it is called `returned`. */
chan inputs = [1] of { byte, bit };
chan returned = [ROOM * GROUP_WORDS] of { byte, byte, bit };
chan vectors = [1] of { byte, byte, bit };
#if ABREAST > 1
chan joined = [1] of { byte, byte, bit };
#define GROUPS joined
#else
#define GROUPS vectors
#endif
chan activations = [1] of { byte, byte, bit };
chan queue[PES] = [1] of { byte, byte, bit };
chan results[PES] = [1] of { byte, byte, bit };
chan commands = [1] of { byte, byte };
chan outputs = [1] of { byte, bit };

active proctype receive() {
  byte vector, word;
  for (vector : 0 .. VECTORS - 1) {
    for (word : 0 .. GROUP_WORDS - 1) {
      inputs ! vector, (word == GROUP_WORDS - 1)
    }
  }
}

/* A turn: the words of a layer, from the stream of which the first is in hand, to the last. */
inline arriving() {
  do
  :: vectors ! vector, layer, last;
#ifdef CHAINS
    if
    :: ADDS(layer) -> held[vector % LANES] = vector + 1
    :: else
    fi;
#endif
    if
    :: last -> break
    :: else ->
      if
      :: layer == 0 -> inputs ? vector, last
      :: else -> returned ? vector, layer, last; layer++
      fi
    fi
  od
}

#ifdef CHAINS
/* The held words of a chain's second layer. */
inline taking() {
  layer++;
  word = 0;
  do
  :: assert(held[vector % LANES] == vector + 1);
    assert(state[vector % LANES] == (vector < LANES -> 0 : vector + 1 - LANES));
    last = (word == GROUP_WORDS - 1);
    vectors ! vector, layer, last;
    if
    :: last -> break
    :: else -> word++
    fi
  od
}
#endif

active proctype control_activations() {
  byte vector, layer, started, ended, under_way;
  bit last;
#ifdef CHAINS
  /* By lane: the vector that held, and the one that left its state, both from 1 on. */
  byte held[LANES], state[LANES], word;
  bit busy[LANES];
#endif
#ifdef LETS_OTHERS_IN
  byte first;
#endif
  do
  :: ended == VECTORS -> break
  :: else ->
    /* Between layers: whichever of its streams has something. */
    if
    :: started < VECTORS && MAY_START && len(inputs) > 0 ->
      inputs ? vector, last; layer = 0; started++; under_way++
#ifdef CHAINS
      ; busy[vector % LANES] = 1
#endif
    :: len(returned) > 0 -> returned ? vector, layer, last; layer++
    fi;
    if
    :: layer > LAST ->
      /* Results of the last layer, to be held only. */
#ifdef CHAINS
      do
      :: last -> break
      :: else -> returned ? vector, layer, last
      od;
      state[vector % LANES] = vector + 1;
      busy[vector % LANES] = 0;
#endif
      ended++; under_way--
    :: else ->
      /* Within a layer: the same stream until its last word. */
      arriving();
#ifdef CHAINS
      if
      :: ADDS(layer) ->
#ifdef LETS_OTHERS_IN
        if
        :: started < VECTORS && MAY_START && len(inputs) > 0 ->
          first = vector;
          inputs ? vector, last; layer = 0; started++; under_way++;
          busy[vector % LANES] = 1;
          arriving();
          commands ! vector, layer;
          vector = first; layer = LAST - 1
        :: true
        fi;
#endif
        taking()
      :: else
      fi;
#endif
      commands ! vector, layer;
      if
      :: !COMES_BACK(layer) -> ended++; under_way--
      :: else
      fi
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
  :: GROUPS ? next_vector, next_layer, next_last;
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

/* A word arrives at the sums. */
inline add() {
#ifdef CHAINS
  assert(!open || vector == of_vector);
  of_vector = vector;
  open = !(last && !ADDS(layer))
#else
  skip
#endif
}

/* The multiplier: a row an iteration while there are rows, and a token if there is one; the end of
 * a layer is not taken before the rows of the layer before it are out. */
active [PES] proctype multiply_accumulate() {
  byte pe = _pid - 4;
  byte vector, layer, back_vector, back_layer, rows;
  bit last, have;
#ifdef CHAINS
  /* Whether there are sums that are not a layer's whole yet, and whose. */
  bit open;
  byte of_vector;
#endif
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
    :: have && (!last || ADDS(layer)) -> have = 0; add()
    :: else
    fi
  :: rows == 0 && !have && len(queue[pe]) > 0 -> queue[pe] ? vector, layer, last; have = 1
  :: rows == 0 && have ->
    have = 0;
    add();
    if
    :: last && !ADDS(layer) -> back_vector = vector; back_layer = layer; rows = GROUP_WORDS
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
      :: layer == LAST -> outputs ! vector, last
      :: else
      fi;
      if
      :: COMES_BACK(layer) ->
#ifndef NO_RESERVATION
        assert(len(returned) < ROOM * GROUP_WORDS);
#endif
        returned ! vector, layer, last
      :: else
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
    for (word : 0 .. GROUP_WORDS - 1) {
      outputs ? vector, last;
      assert(vector == expected)
    }
  }
}

#if ABREAST > 1
/* The same columns of all vectors of a group, side by side. Its pipeline ends with the layer. */
active proctype join_abreast() {
  byte vector, layer, count;
  bit last;
end:
  do
  :: vectors ? vector, layer, last;
    count++;
    if
    :: count == ABREAST -> joined ! vector, layer, last; count = 0
    :: else -> assert(!last)
    fi
  od
}
#endif
