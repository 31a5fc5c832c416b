# What validate_bd_design checks, and more: everything wrong with the block design, at once.

# Interfaces, clocks, resets and interrupts that a cell must have connected.
proc mock::open_pins {cell} {
    variable pin_kinds
    set problems {}
    foreach feature [cell_features $cell [list master slave {*}$pin_kinds]] {
        set kind [dict get $feature kind]
        set path $cell/[dict get $feature name]
        if {[dict get $feature optional]} {
            continue
        }
        switch -glob -- $kind {
            master - slave {
                set external [expr {[dict get $feature arguments] eq "pins"}]
                if {$external && ![has external $path]} {
                    lappend problems "interface $path must go to the device's pins"
                } elseif {!$external && ![has links $path]} {
                    lappend problems "interface $path is not connected"
                }
            }
            *_in {
                if {![has driver $path]} {
                    lappend problems "[regsub {_in$} $kind ""] $path has no driver"
                }
            }
        }
    }
    return $problems
}

# Where an interrupt ends when it is followed through concatenations and controllers.
proc mock::follow_interrupt {path} {
    if {![has loads $path]} {
        return $path
    }
    foreach load [dict keys [get loads $path]] {
        set cell [lindex [split $load /] 0]
        set outputs [cell_features $cell interrupt_out]
        if {[llength $outputs] == 0} {
            return ""
        }
        return [follow_interrupt $cell/[dict get [lindex $outputs 0] name]]
    }
}

proc mock::lost_interrupts {cell} {
    set problems {}
    foreach feature [cell_features $cell interrupt_out] {
        set path $cell/[dict get $feature name]
        set end [follow_interrupt $path]
        if {$end ne ""} {
            lappend problems "interrupt $path leads nowhere: it ends at $end"
        }
    }
    return $problems
}

proc mock::stream_widths {cell} {
    set problems {}
    foreach feature [cell_features $cell master] {
        set path $cell/[dict get $feature name]
        if {[dict get $feature arguments] eq "axis" && [has links $path]} {
            set peer [find interface [get links $path] slave]
            if {[dict get $feature width] != [dict get $peer width]} {
                lappend problems "$path has [dict get $feature width] bits,\
                    [dict get $peer path] has [dict get $peer width]"
            }
        }
    }
    return $problems
}

proc mock::unassigned {cell} {
    set problems {}
    foreach feature [cell_features $cell space] {
        set space $cell/[dict get $feature name]
        set segments [reachable $space]
        if {[llength $segments] == 0} {
            lappend problems "address space $space reaches nothing"
        }
        foreach segment $segments {
            if {![has addresses $space $segment]} {
                lappend problems "segment $segment has no address in $space"
            }
        }
    }
    return $problems
}

mock::command validate_bd_design {} {} 0 0 {
    mock::need_design
    set problems {}
    foreach cell [dict keys [mock::get cells]] {
        foreach check {open_pins lost_interrupts stream_widths unassigned} {
            lappend problems {*}[mock::$check $cell]
        }
    }
    if {[llength $problems] > 0} {
        mock::fail "validate_bd_design: [llength $problems] problems\n  [join $problems "\n  "]"
    }
    mock::set_state design changed 0
}

mock::command save_bd_design {} {} 0 0 {
    mock::need_design
    mock::set_state design saved 1
}
