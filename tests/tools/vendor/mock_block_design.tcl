# Commands of Vivado's IP integrator (UG835), and the checks of validate_bd_design.
#
# Objects are strings with their class before a colon, so that a pin cannot pass for an interface.

namespace eval mock {
    variable pin_kinds {
        clock_in clock_out reset_in reset_out interrupt_in interrupt_out
    }
}

# ---- Cells ---------------------------------------------------------------------------------------

# IPs in the catalog; the kernel is there once its repository has been read.
proc mock::catalog {all} {
    variable table
    variable setting
    set result {}
    foreach vlnv [dict keys $table] {
        if {$vlnv in [dict get $setting -without]} {
            continue
        }
        if {!$all && [llength [lines $vlnv hidden]] > 0} {
            continue
        }
        if {[string match *:hls:* $vlnv] && !([has repository] && $vlnv in [get repository])} {
            continue
        }
        lappend result $vlnv
    }
    return $result
}

proc mock::cell_config {cell} {
    return [get cells $cell config]
}

proc mock::cell_features {cell kinds} {
    return [features [get cells $cell vlnv] [cell_config $cell] $kinds]
}

# The feature of that path, or an error that lists what the cell has instead.
proc mock::find {what path kinds} {
    set path [string trimleft $path /]
    set rest [join [lassign [split $path /] cell] /]
    if {![has cells $cell]} {
        fail "no such cell: '$cell' in $path"
    }
    set names {}
    foreach feature [cell_features $cell $kinds] {
        if {[dict get $feature name] eq $rest} {
            return [dict replace $feature cell $cell path $path]
        }
        lappend names [dict get $feature name]
    }
    fail "no such $what: $path; $cell has [join $names {, }]"
}

proc mock::need_design {} {
    if {![has design]} {
        fail "no block design is open"
    }
}

proc mock::changed {} {
    need_design
    set_state design changed 1
}

mock::command get_ipdefs {-all -quiet} {-filter} 0 1 {
    return [lmap vlnv [mock::catalog [dict exists $option -all]] {
        if {![string match [lindex $rest 0] $vlnv]} {
            continue
        }
        set vlnv
    }]
}

mock::command create_bd_design {} {} 1 1 {
    mock::set_state design [dict create name [lindex $rest 0] changed 1 saved 0]
}

mock::command create_bd_cell {} {-type -vlnv} 1 1 {
    mock::changed
    set name [lindex $rest 0]
    set vlnv [dict get $option -vlnv]
    set found [lmap each [mock::catalog 1] {
        if {$each ne $vlnv && ![string match $vlnv:* $each]} {
            continue
        }
        set each
    }]
    if {[llength $found] != 1} {
        mock::fail "no such IP in the catalog: $vlnv"
    }
    if {[mock::has cells $name]} {
        mock::fail "there is a cell $name already"
    }
    mock::set_state cells $name [dict create vlnv $found config [mock::default_config $found]]
    return cell:$name
}

mock::command get_bd_cells {-quiet} {} 1 1 {
    set name [string trimleft [lindex $rest 0] /]
    if {![mock::has cells $name]} {
        mock::fail "no such cell: '$name'"
    }
    return cell:$name
}

proc mock::set_cell_config {cell properties} {
    changed
    foreach {property value} $properties {
        set name [regsub {^CONFIG\.} $property ""]
        if {$name eq $property || ![has cells $cell config $name]} {
            fail "no such property of $cell: $property"
        }
        set_state cells $cell config $name $value
    }
}

mock::command apply_bd_automation {} {-rule -config} 1 1 {
    mock::changed
    set cell [mock::object cell [lindex $rest 0]]
    set vlnv [mock::get cells $cell vlnv]
    set rules [lmap line [mock::lines $vlnv rule] {lindex $line 1}]
    if {[dict get $option -rule] ni $rules} {
        mock::fail "rule [dict get $option -rule] is not for $vlnv"
    }
    foreach {name value} [dict get $option -config] {
        switch -- $name {
            apply_board_preset {
                if {$value && ![mock::has project board_part]} {
                    mock::fail "a board preset needs the project's board_part"
                }
                if {$value} {
                    set config [mock::default_config $vlnv]
                    foreach line [mock::lines $vlnv preset] {
                        dict set config {*}[lrange $line 1 2]
                    }
                    mock::set_state cells $cell config $config
                }
            }
            make_external {
                foreach interface [split [string map {", " ,} $value] ,] {
                    mock::find interface $cell/$interface master
                    mock::set_state external $cell/$interface 1
                }
            }
            Master - Slave {}
            default {
                mock::fail "[dict get $option -rule] has no setting $name"
            }
        }
    }
}

# ---- Connections ---------------------------------------------------------------------------------

mock::command get_bd_intf_pins {} {} 1 1 {
    return intf:[dict get [mock::find interface [lindex $rest 0] {master slave}] path]
}

mock::command get_bd_pins {} {} 1 1 {
    return pin:[dict get [mock::find pin [lindex $rest 0] $mock::pin_kinds] path]
}

mock::command connect_bd_intf_net {} {-intf_net} 2 2 {
    mock::changed
    set ends [lmap end $rest {mock::find interface [mock::object intf $end] {master slave}}]
    lassign $ends one other
    if {[dict get $one kind] eq [dict get $other kind]} {
        mock::fail "[dict get $one path] and [dict get $other path] are both [dict get $one kind]s"
    }
    if {[dict get $one arguments] ne [dict get $other arguments]} {
        mock::fail "[dict get $one path] is [dict get $one arguments], [dict get $other path] is\
            [dict get $other arguments]"
    }
    foreach {end peer} [list $one $other $other $one] {
        if {[mock::has links [dict get $end path]]} {
            mock::fail "[dict get $end path] is connected already"
        }
        mock::set_state links [dict get $end path] [dict get $peer path]
    }
}

mock::command connect_bd_net {} {-net} 2 100 {
    mock::changed
    set pins [lmap end $rest {mock::find pin [mock::object pin $end] $mock::pin_kinds}]
    set drivers {}
    foreach pin $pins {
        if {[string match *_out [dict get $pin kind]]} {
            lappend drivers $pin
        }
    }
    if {[llength $drivers] != 1} {
        mock::fail "a net must have one driver, not [llength $drivers]: $rest"
    }
    set driver [lindex $drivers 0]
    set carries [regsub {_out$} [dict get $driver kind] ""]
    foreach pin $pins {
        if {[dict get $pin path] eq [dict get $driver path]} {
            continue
        }
        if {[dict get $pin kind] ne "${carries}_in"} {
            mock::fail "[dict get $driver path] drives [dict get $pin path], which is\
                [dict get $pin kind]"
        }
        if {[mock::has driver [dict get $pin path]]} {
            mock::fail "[dict get $pin path] is driven already"
        }
        mock::set_state driver [dict get $pin path] [dict get $driver path]
        mock::set_state loads [dict get $driver path] [dict get $pin path] 1
    }
}

# The path of an object of class `class`.
proc mock::object {class text} {
    if {![string match $class:* $text]} {
        fail "'$text' must be a $class"
    }
    return [string range $text [string length $class]+1 end]
}

# ---- Addresses -----------------------------------------------------------------------------------

mock::command get_bd_addr_spaces {} {} 1 1 {
    return space:[dict get [mock::find {address space} [lindex $rest 0] space] path]
}

mock::command get_bd_addr_segs {-quiet} {} 1 1 {
    if {[dict exists $option -quiet]} {
        if {[catch {mock::find {address segment} [lindex $rest 0] segment} segment]} {
            return ""
        }
    } else {
        set segment [mock::find {address segment} [lindex $rest 0] segment]
    }
    return segment:[dict get $segment path]
}

# Segments that a space reaches, through bridges.
proc mock::reachable {space} {
    set feature [find {address space} $space space]
    set pending [list [dict get $feature cell]/[lindex [dict get $feature arguments] 0]]
    set result {}
    while {[llength $pending] > 0} {
        set pending [lassign $pending master]
        if {![has links $master]} {
            continue
        }
        set slave [get links $master]
        set name [join [lassign [split $slave /] cell] /]
        foreach segment [cell_features $cell segment] {
            if {[lindex [dict get $segment arguments] 0] eq $name} {
                lappend result $cell/[dict get $segment name]
            }
        }
        if {[llength [lines [get cells $cell vlnv] bridge]] > 0} {
            foreach next [cell_features $cell master] {
                lappend pending $cell/[dict get $next name]
            }
        }
    }
    return $result
}

proc mock::size {text} {
    if {[regexp {^(\d+)([KMG])$} $text -> number unit]} {
        return [expr {$number << [dict get {K 10 M 20 G 30} $unit]}]
    }
    return [expr {$text}]
}

proc mock::check_reachable {space segment} {
    if {$segment ni [reachable $space]} {
        fail "$space does not reach $segment"
    }
    if {[has addresses $space $segment]} {
        fail "$segment has its place in $space already"
    }
}

mock::command assign_bd_address {-force} {-target_address_space -offset -range} 1 1 {
    mock::changed
    set space [mock::object space [dict get $option -target_address_space]]
    set segment [mock::object segment [lindex $rest 0]]
    mock::check_reachable $space $segment
    if {![dict exists $option -offset]} {
        mock::set_state addresses $space $segment assigned
        return
    }
    set base [expr {[dict get $option -offset]}]
    set end [expr {$base + [mock::size [dict get $option -range]]}]
    set feature [mock::find {address space} $space space]
    lassign [dict get $feature arguments] master first span
    set config [mock::cell_config [dict get $feature cell]]
    set last [expr {$first + [mock::with_config $config $span]}]
    if {$base < $first || $end > $last} {
        mock::fail [format "%s at 0x%X is outside the addresses of %s" $segment $base $master]
    }
    if {[mock::has addresses $space]} {
        dict for {other range} [mock::get addresses $space] {
            if {$range ne "assigned" && $base < [lindex $range 1] && [lindex $range 0] < $end} {
                mock::fail "$segment overlaps $other in $space"
            }
        }
    }
    mock::set_state addresses $space $segment [list $base $end]
}

mock::command exclude_bd_addr_seg {} {-target_address_space} 1 1 {
    mock::changed
    set space [mock::object space [dict get $option -target_address_space]]
    set segment [mock::object segment [lindex $rest 0]]
    mock::check_reachable $space $segment
    mock::set_state addresses $space $segment assigned
}
