# Writes the hardware handoff (.hwh) of the block design that a script has made: cells, CONFIG
# values, wires and addresses, in the form in which Vivado hands them to pynq. Without clocks and
# registers, of which the mock knows nothing.

namespace eval mock {
    variable signal_kinds {clock clk reset rst interrupt INTERRUPT}
}

# An element with `attributes` and the text of the elements in it.
proc mock::element {name attributes {inside ""}} {
    set text "<$name"
    foreach {key value} $attributes {
        append text " $key=\"$value\""
    }
    return "$text>$inside</$name>\n"
}

proc mock::signal_name {path} {
    return [string map {/ _} $path]
}

proc mock::handoff_parameters {cell} {
    set text ""
    dict for {name value} [cell_config $cell] {
        append text [element PARAMETER [list NAME $name VALUE $value]]
    }
    return [element PARAMETERS {} $text]
}

# Ends of AXI4 and AXI4-Stream connections; both bear the name of the master.
proc mock::handoff_interfaces {cell} {
    set text ""
    foreach feature [cell_features $cell {master slave}] {
        set path $cell/[dict get $feature name]
        if {![has links $path]} {
            continue
        }
        set master [expr {[dict get $feature kind] eq "master"}]
        set stream [expr {[dict get $feature arguments] eq "axis"}]
        set role [lindex {SLAVE MASTER TARGET INITIATOR} [expr {$master + 2 * $stream}]]
        set attributes [list NAME [dict get $feature name] TYPE $role \
            VLNV xilinx.com:interface:[lindex {aximm axis} $stream]:1.0 \
            BUSNAME [signal_name [expr {$master ? $path : [get links $path]}]]]
        if {$stream} {
            lappend attributes DATAWIDTH [dict get $feature width]
        }
        append text [element BUSINTERFACE $attributes]
    }
    return [element BUSINTERFACES {} $text]
}

# Clocks, resets and interrupts that are connected.
proc mock::handoff_ports {cell} {
    variable pin_kinds
    variable signal_kinds
    set text ""
    foreach feature [cell_features $cell $pin_kinds] {
        set path $cell/[dict get $feature name]
        lassign [split [dict get $feature kind] _] kind direction
        if {$direction eq "out" && [has loads $path]} {
            set driver $path
            set ends [dict keys [get loads $path]]
        } elseif {$direction eq "in" && [has driver $path]} {
            set driver [get driver $path]
            set ends [list $driver]
        } else {
            continue
        }
        set connections ""
        foreach end $ends {
            lassign [split $end /] instance port
            append connections [element CONNECTION [list INSTANCE $instance PORT $port]]
        }
        set attributes [list NAME [dict get $feature name] \
            DIR [expr {$direction eq "out" ? "O" : "I"}] SIGIS [dict get $signal_kinds $kind] \
            SIGNAME [signal_name $driver]]
        append text [element PORT $attributes [element CONNECTIONS {} $connections]]
    }
    return [element PORTS {} $text]
}

# Registers that the address spaces of a processing system reach.
proc mock::handoff_addresses {cell} {
    set text ""
    foreach feature [cell_features $cell space] {
        set space $cell/[dict get $feature name]
        if {![has addresses $space]} {
            continue
        }
        dict for {segment range} [get addresses $space] {
            if {$range eq "assigned"} {
                continue
            }
            lassign $range base end
            set found [find {address segment} $segment segment]
            append text [element MEMRANGE [list INSTANCE [dict get $found cell] \
                MEMTYPE REGISTER ADDRESSBLOCK [lindex [split $segment /] end] \
                BASEVALUE [format 0x%08X $base] HIGHVALUE [format 0x%08X [expr {$end - 1}]] \
                MASTERBUSINTERFACE [lindex [dict get $feature arguments] 0] \
                SLAVEBUSINTERFACE [lindex [dict get $found arguments] 0]]]
        }
    }
    return [element MEMORYMAP {} $text]
}

proc mock::handoff {} {
    set modules ""
    dict for {cell values} [get cells] {
        set vlnv [dict get $values vlnv]
        append modules [element MODULE [list FULLNAME /$cell INSTANCE $cell \
            MODTYPE [lindex [split $vlnv :] 2] VLNV $vlnv] [join [list \
            [handoff_parameters $cell] [handoff_interfaces $cell] [handoff_ports $cell] \
            [handoff_addresses $cell]] ""]]
    }
    return [element EDKSYSTEM {} [element MODULES {} $modules]]
}
