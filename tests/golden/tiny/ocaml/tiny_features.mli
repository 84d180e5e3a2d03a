(* Made by xmsg-idl from the declarations of tiny 1.2:
   change those instead. *)

(** Words that an answer to a query may list. *)

val box_put : string
(** The box takes things. *)

val all : string list
(** In order. *)
