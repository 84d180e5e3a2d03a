(* Made by xmsg-idl from the declarations of tiny 1.2:
   change those instead. *)

let box_put = "BOX_PUT"

let all =
  [
    box_put;
  ]
