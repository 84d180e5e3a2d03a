(* Made by xmsg-idl from the declarations of tiny 1.2:
   change those instead. *)
