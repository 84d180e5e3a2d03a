(* Made by xmsg-idl from the declarations of tiny 1.2:
   change those instead. *)

(** A small interface.

    Everything that declarations can say, once.

    - an item, with a link to [Box.put] and words that go on in the next line
    - another item

    {[
      code  stays
        as it is
    ]} *)

module Idl = Idl
module Script = Idl_script
module Types = Tiny_types
module Errors = Tiny_errors
module Features = Tiny_features
module Box = Tiny_box
